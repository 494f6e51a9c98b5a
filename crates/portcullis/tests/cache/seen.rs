//! How a cache is seen.

use std::collections::BTreeMap;

use portcullis::{
    Cache, Mode, PolicyKind, Registry,
    cache::Preset,
    event::EventKind,
    metrics::{Measures, Metric},
};

use crate::support::{ask, ms, slow};

#[derive(Default)]
struct Seen(BTreeMap<String, f64>);

impl Measures for Seen {
    fn counter(&mut self, metric: &'static Metric, labels: &[&'static str], total: u64) {
        assert_eq!(labels.len() + 1, metric.labels.len(), "{metric:?}");
        self.0.insert(format!("{} {}", metric.name, labels.join(" ")), total as f64);
    }

    fn gauge(&mut self, metric: &'static Metric, labels: &[&'static str], value: f64) {
        assert_eq!(labels.len() + 1, metric.labels.len(), "{metric:?}");
        self.0.insert(metric.name.to_owned(), value);
    }
}

#[tokio::test(start_paused = true)]
async fn in_its_registry_with_its_numbers() {
    let registry = Registry::new();
    let cache = Cache::builder("prices").registry(&registry).max_weight(1000, |_, _| 300).build().unwrap();
    let service = slow(&cache, ms(0));
    for item in ["apple", "pear", "apple", "apple"] {
        ask(&service, item).await.unwrap();
    }
    let policy = registry.get(PolicyKind::Cache, "prices").unwrap();
    let mut seen = Seen::default();
    policy.measure(&mut seen);
    assert_eq!(seen.0["portcullis_cache_total hit"], 2.0);
    assert_eq!(seen.0["portcullis_cache_total miss"], 2.0);
    assert_eq!(seen.0["portcullis_cache_total stale"], 0.0);
    assert_eq!(seen.0["portcullis_cache_total coalesced"], 0.0);
    assert_eq!(seen.0["portcullis_cache_entries"], 2.0);
    assert_eq!(seen.0["portcullis_cache_weight"], 600.0);
    let snapshot = policy.snapshot();
    assert_eq!(
        (snapshot.kind, snapshot.kind.as_str(), snapshot.state),
        (PolicyKind::Cache, "cache", "active")
    );
    assert!(snapshot.values.contains(&("hits", 2u64.into())));
    policy.reset();
    assert_eq!(cache.status().entries, 0);
}

#[test]
fn it_tells_that_its_settings_changed_and_no_single_calls() {
    let registry = Registry::new();
    let cache = Cache::<u32, u32>::builder("prices").registry(&registry).build().unwrap();
    cache.insert(1, 1);
    cache.set_mode(Mode::Shadow).unwrap();
    cache.reconfigure(Preset::ReferenceData.config()).unwrap();
    let events = cache.recent_events();
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|event| matches!(event.what, EventKind::ConfigChanged)));
    assert!(cache.set_mode(Mode::EnforcePercent(200)).is_err());
    assert_eq!(cache.recent_events().len(), 2);
}

#[test]
fn a_handle_can_be_shown() {
    let cache = Cache::<u32, u32>::builder("prices").registry(&Registry::new()).build().unwrap();
    assert!(format!("{cache:?}").starts_with("Cache { name: "), "{cache:?}");
}
