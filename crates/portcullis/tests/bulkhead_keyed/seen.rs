//! What a registry, listeners and metrics see.

use std::sync::{Arc, Mutex};

use portcullis::{
    Level, Mode, PolicyKind, Registry,
    event::{EventKind, Interest},
    metrics::{Measures, Metric},
    registry::Value,
};

use super::support::{SECOND, take, tenants, wait};

#[tokio::test(start_paused = true)]
async fn a_snapshot_tells_of_all_keys_together() {
    let registry = Registry::new();
    let tenants = tenants(10).per_key(5).queue(3, SECOND).registry(&registry).build().unwrap();
    let seen = || registry.get(PolicyKind::Bulkhead, "tenants").unwrap().snapshot();
    let held = [take(&tenants, "a", 5), take(&tenants, "b", 5)];
    assert_eq!((seen().state, seen().level), ("active", Level::Healthy));
    let waiting = [wait(&tenants, "a").await, wait(&tenants, "b").await, wait(&tenants, "c").await];
    assert_eq!((seen().state, seen().level), ("full", Level::Warning));
    assert!(tenants.is_refusing());
    tenants.try_admit("a").unwrap_err();
    for (name, count) in [("in_flight", 10), ("limit", 10), ("queued", 3), ("holding", 2), ("key_full", 1)] {
        assert!(seen().values.contains(&(name, Value::Count(count))), "{name}");
    }
    let names: Vec<_> = registry.snapshot().into_iter().map(|one| one.name.to_string()).collect();
    assert_eq!(names, ["tenants"], "and no key for itself");
    waiting.iter().for_each(|call| call.abort());
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_refused_in_its_own_name() {
    let registry = Registry::new();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = heard.clone();
    let _subscription = registry.events().listen(Interest::All, move |event| {
        if let EventKind::Rejected { rejection, enforced } = &event.what {
            let word = rejection.reason().as_str();
            told.lock().unwrap().push((event.policy.to_string(), word, *enforced));
        }
    });
    let tenants = tenants(3).per_key(1).registry(&registry).build().unwrap();
    let held = take(&tenants, "a", 1);
    tenants.try_admit("a").unwrap_err();
    tenants.set_mode(Mode::Shadow).unwrap();
    drop(tenants.try_admit("a").unwrap());
    let name = "tenants/a".to_owned();
    assert_eq!(*heard.lock().unwrap(), [(name.clone(), "key_full", true), (name, "key_full", false)]);
    assert_eq!((tenants.get("a").unwrap().rejected, tenants.overflow().rejected), (1, 0));
    drop(held);
}

#[derive(Default)]
struct Seen(Vec<(String, f64)>);

impl Seen {
    fn add(&mut self, metric: &Metric, labels: &[&str], value: f64) {
        self.0.push((format!("{} {}", metric.name, labels.join(" ")).trim().to_owned(), value));
    }
}

impl Measures for Seen {
    fn counter(&mut self, metric: &'static Metric, labels: &[&str], value: u64) {
        self.add(metric, labels, value as f64);
    }

    fn gauge(&mut self, metric: &'static Metric, labels: &[&str], value: f64) {
        self.add(metric, labels, value);
    }
}

#[test]
fn the_gauges_are_those_of_a_bulkhead() {
    let registry = Registry::new();
    let tenants = tenants(10).per_key(2).registry(&registry).build().unwrap();
    let held = [take(&tenants, "a", 3), take(&tenants, "b", 1)];
    let mut seen = Seen::default();
    registry.get(PolicyKind::Bulkhead, "tenants").unwrap().measure(&mut seen);
    for expected in [
        ("portcullis_bulkhead_in_flight", 3.0),
        ("portcullis_bulkhead_limit", 10.0),
        ("portcullis_bulkhead_queued", 0.0),
        ("portcullis_keyed_entries", 2.0),
        ("portcullis_keyed_evictions_total idle", 0.0),
        ("portcullis_rejections_total bulkhead key_full enforced", 1.0),
        ("portcullis_calls_total bulkhead rejected", 1.0),
    ] {
        assert!(seen.0.contains(&(expected.0.to_owned(), expected.1)), "{expected:?} of {:?}", seen.0);
    }
    drop(held);
}
