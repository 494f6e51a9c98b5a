//! What a registry, metrics and listeners see.

use std::sync::{Arc, Mutex};

use portcullis::{
    Coalesce, Level, PolicyKind, Registry,
    event::{EventKind, Interest},
    metrics::{Measures, Metric, names},
    registry::Value,
};
use portcullis_testkit::script::Step;

use super::support::{begun, by_tens, dependency};

#[tokio::test]
async fn a_registry_and_listeners_see_it() {
    let registry = Registry::new();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = heard.clone();
    let _subscription =
        registry.events().listen(Interest::All, move |event| told.lock().unwrap().push(event.to_string()));
    let coalesce = Coalesce::builder("prices").registry(&registry).build().unwrap();
    let (inner, _handle) = dependency([Step::hang(), Step::hang()]);
    let service = by_tens(&coalesce, inner);
    let [leader, mut first, _second] = [1, 2, 3].map(|n| begun(&service, n));
    let seen = registry.get(PolicyKind::Coalesce, "prices").unwrap().snapshot();
    assert_eq!((seen.state, seen.level), ("active", Level::Healthy));
    for value in [("keys", 1), ("waiting", 2), ("led", 1)] {
        assert!(seen.values.contains(&(value.0, Value::Count(value.1))), "{value:?}");
    }
    drop(leader);
    assert!(first.poll().is_pending());
    coalesce.set_mode(portcullis::Mode::Shadow).unwrap();
    let told = ["coalesce 'prices' lets a call lead for which 1 wait", "coalesce 'prices' has new settings"];
    assert_eq!(*heard.lock().unwrap(), told);
    assert!(matches!(coalesce.recent_events()[..], [ref event] if event.what == EventKind::ConfigChanged));
}

#[derive(Default)]
struct Read(Vec<(&'static str, Vec<&'static str>, f64)>);

impl Measures for Read {
    fn counter(&mut self, metric: &'static Metric, labels: &[&'static str], total: u64) {
        self.0.push((metric.name, labels.to_vec(), total as f64));
    }

    fn gauge(&mut self, metric: &'static Metric, labels: &[&'static str], value: f64) {
        self.0.push((metric.name, labels.to_vec(), value));
    }
}

#[tokio::test]
async fn its_metrics_are_those_of_the_list() {
    let registry = Registry::new();
    let coalesce = Coalesce::builder("prices").registry(&registry).build().unwrap();
    let (inner, _handle) = dependency([]);
    let service = by_tens(&coalesce, inner);
    let _calls = [1, 2].map(|n| begun(&service, n));
    let mut read = Read::default();
    registry.get(PolicyKind::Coalesce, "prices").unwrap().measure(&mut read);
    for (metric, labels, value) in [
        (&names::COALESCE_KEYS, vec![], 1.0),
        (&names::COALESCE_WAITING, vec![], 1.0),
        (&names::COALESCED, vec!["led"], 1.0),
        (&names::COALESCED, vec!["shared"], 0.0),
    ] {
        assert!(read.0.contains(&(metric.name, labels, value)), "{}: {:?}", metric.name, read.0);
    }
}
