//! What a registry, metrics and listeners see.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
};

use futures_util::FutureExt;
use portcullis::{
    Executor, Mode, PolicyKind, Registry, Rejection,
    event::Interest,
    metrics::{Measures, Metric, names},
    registry::Value,
};

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
async fn a_registry_metrics_and_listeners_see_it() {
    let registry = Registry::new();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = heard.clone();
    let _subscription =
        registry.events().listen(Interest::All, move |event| told.lock().unwrap().push(event.to_string()));
    let executor = Executor::builder("reports").registry(&registry).build().unwrap();
    executor.call(|| async { Ok::<_, Rejection>(()) }).await.unwrap();
    let panics = executor.call(|| async { panic!("boom") as Result<(), Rejection> });
    AssertUnwindSafe(panics).catch_unwind().await.unwrap_err();
    executor.set_mode(Mode::Shadow).unwrap();

    let policy = registry.get(PolicyKind::Executor, "reports").unwrap();
    let seen = policy.snapshot();
    for value in [("finished", 1), ("panics", 1), ("running", 0)] {
        assert!(seen.values.contains(&(value.0, Value::Count(value.1))), "{value:?}");
    }
    let mut read = Read::default();
    policy.measure(&mut read);
    for (metric, labels, value) in [
        (&names::EXECUTOR_RUNNING, vec![], 0.0),
        (&names::EXECUTOR_TASKS, vec!["finished"], 1.0),
        (&names::EXECUTOR_TASKS, vec!["panicked"], 1.0),
        (&names::REJECTIONS, vec!["executor", "runtime_stopped", "enforced"], 0.0),
    ] {
        assert!(read.0.contains(&(metric.name, labels, value)), "{}: {:?}", metric.name, read.0);
    }
    let told = ["executor 'reports' saw a call panic: boom", "executor 'reports' has new settings"];
    assert_eq!(*heard.lock().unwrap(), told);
}
