//! What a registry, metrics and snapshots see.

use portcullis::{
    BoxError, PolicyKind, Registry,
    metrics::{Measures, Metric, names},
    protocol::Attempt,
    registry::Value,
};

use crate::support::observer;

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

async fn well() -> Result<(), BoxError> {
    Ok(())
}

#[tokio::test]
async fn a_registry_and_metrics_see_it() {
    let registry = Registry::new();
    let observer = observer(&registry);
    observer.call(well).await.unwrap();
    let policy = registry.get(PolicyKind::Observer, "shop").unwrap();
    let mut read = Read::default();
    policy.measure(&mut read);
    assert!(!read.0.iter().any(|(_, labels, _)| labels[0] == "attempt"), "none was made");

    let _running = observer.begin_attempt(Attempt::FIRST);
    observer.attempt(Attempt::FIRST, || async { Err::<(), BoxError>("lost".into()) }).await.unwrap_err();
    policy.measure(&mut read);
    for (metric, labels, value) in [
        (&names::CALLS, ["call", "success"].as_slice(), 1.0),
        (&names::CALLS, &["call", "rejected"], 0.0),
        (&names::CALLS, &["attempt", "failure"], 1.0),
        (&names::CALLS_IN_FLIGHT, &["call"], 0.0),
        (&names::CALLS_IN_FLIGHT, &["attempt"], 1.0),
    ] {
        assert!(read.0.contains(&(metric.name, labels.to_vec(), value)), "{labels:?}: {:?}", read.0);
    }
    let seen = policy.snapshot();
    assert_eq!((seen.state, seen.level), ("active", portcullis::Level::Healthy));
    for value in [("successes", 1), ("attempts_failed", 1), ("attempts_in_flight", 1), ("in_flight", 0)] {
        assert!(seen.values.contains(&(value.0, Value::Count(value.1))), "{value:?}: {:?}", seen.values);
    }
    assert!(!seen.values.iter().any(|(name, _)| name.ends_with("_ms")), "{:?}", seen.values);
}

#[tokio::test(start_paused = true)]
async fn percentiles_are_in_the_snapshot_when_they_are_measured() {
    let registry = Registry::new();
    let observer = portcullis::Observer::builder("shop").durations(true).registry(&registry).build().unwrap();
    observer.call(well).await.unwrap();
    let seen = registry.get(PolicyKind::Observer, "shop").unwrap().snapshot();
    for name in ["p50_ms", "p95_ms", "p99_ms"] {
        assert!(seen.values.iter().any(|(known, _)| *known == name), "{name}: {:?}", seen.values);
    }
    drop(observer);
    assert!(registry.snapshot().is_empty());
}

/// Both of its layers are put at their places, and an absent one is not seen.
#[tokio::test]
async fn a_pipeline_observes_calls_and_attempts() {
    use portcullis::{Pipeline, pipeline::Place};
    use tower::{Layer, ServiceExt, service_fn};

    let registry = Registry::new();
    let observer = observer(&registry);
    for (given, places) in [(Some(observer.clone()), vec![Place::Observe, Place::Attempts]), (None, vec![])] {
        let pipeline = Pipeline::client("shop")
            .observe(given)
            .deadline(std::time::Duration::from_secs(1))
            .registry(&registry)
            .build()
            .unwrap();
        let order: Vec<_> = pipeline.explain().order.iter().map(|step| step.place).collect();
        assert_eq!(order.into_iter().filter(|place| *place != Place::Deadline).collect::<Vec<_>>(), places);
        pipeline.layer(service_fn(|()| well())).oneshot(()).await.unwrap();
    }
    assert_eq!((observer.status().calls.successes, observer.status().attempts.successes), (1, 1));
    let twice = Pipeline::client("shop").observe(observer.clone()).observe(observer).build();
    assert!(twice.unwrap_err().to_string().contains("observe 'shop'"));
}
