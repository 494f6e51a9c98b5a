//! What a registry, listeners and metrics see.

use portcullis::{
    Level, PolicyKind, Registry,
    metrics::{Measures, Metric},
    registry::Value,
};

use super::support::{Done, pool};

#[tokio::test]
async fn a_snapshot_tells_who_runs() {
    let registry = Registry::new();
    let pool = pool(2).registry(&registry).build().unwrap();
    let seen = || registry.get(PolicyKind::ThreadPool, "pool").unwrap().snapshot();
    assert_eq!((seen().state, seen().level), ("active", Level::Healthy));
    let held = [pool.try_admit().unwrap(), pool.try_admit().unwrap()];
    assert_eq!((seen().state, seen().level), ("full", Level::Warning));
    assert!(seen().values.contains(&("busy", Value::Count(2))));
    pool.try_admit().unwrap_err();
    assert!(seen().values.contains(&("rejected", Value::Count(1))));
    drop(held);
    pool.run(|| -> Done { panic!("seen") }).await.unwrap_err();
    assert!(seen().values.contains(&("panics", Value::Count(1))));
    assert!(format!("{pool:?}").contains("panics: 1"));
}

#[derive(Default)]
struct Seen(Vec<(String, f64)>);

impl Measures for Seen {
    fn counter(&mut self, metric: &'static Metric, labels: &[&'static str], total: u64) {
        self.0.push((format!("{}/{}", metric.name, labels.join("/")), total as f64));
    }

    fn gauge(&mut self, metric: &'static Metric, labels: &[&'static str], value: f64) {
        self.0.push((format!("{}/{}", metric.name, labels.join("/")), value));
    }
}

#[tokio::test]
async fn every_number_is_a_metric() {
    let registry = Registry::new();
    let pool = pool(1).registry(&registry).build().unwrap();
    pool.run(|| -> Done { panic!("measured") }).await.unwrap_err();
    let held = pool.try_admit().unwrap();
    pool.try_admit().unwrap_err();
    let mut seen = Seen::default();
    registry.get(PolicyKind::ThreadPool, "pool").unwrap().measure(&mut seen);
    for expected in [
        ("portcullis_calls_total/thread_pool/rejected", 1.0),
        ("portcullis_calls_total/thread_pool/abandoned", 0.0),
        ("portcullis_rejections_total/thread_pool/pool_full/enforced", 1.0),
        ("portcullis_pool_panics_total/", 1.0),
        ("portcullis_pool_busy/", 1.0),
        ("portcullis_pool_queued/", 0.0),
        ("portcullis_pool_threads/", 1.0),
    ] {
        assert!(
            seen.0.iter().any(|(name, value)| (&**name, *value) == expected),
            "{expected:?}: {:?}",
            seen.0
        );
    }
    drop(held);
}
