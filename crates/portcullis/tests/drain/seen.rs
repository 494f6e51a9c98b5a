//! What can be seen of it.

use std::sync::{Arc, Mutex};

use portcullis::{
    Drain, Level, PolicyKind, Registry,
    drain::Phase,
    event::{EventKind, Interest},
    metrics::{Measures, Metric},
    registry::{Policy, Value},
};

use crate::support::secs;

#[tokio::test(start_paused = true)]
async fn every_phase_is_told_once() {
    let registry = Registry::new();
    let told = Arc::new(Mutex::new(Vec::new()));
    let inside = told.clone();
    let _subscription = registry.events().listen(Interest::All, move |event| {
        inside.lock().unwrap().push(event.to_string());
    });
    let drain = Drain::builder("shop").registry(&registry).build().unwrap();
    let running = drain.try_admit().unwrap();
    drain.begin();
    drain.signal().await;
    drain.try_admit().unwrap_err();
    drop(running);
    drain.end();
    assert_eq!(
        *told.lock().unwrap(),
        [
            "drain 'shop' is announced: 1 in flight",
            "drain 'shop' is refusing: 1 in flight",
            "drain 'shop' takes no new work: the server ends",
            "drain 'shop' is ended: 0 in flight",
        ]
    );
    let phases = drain.recent_events().into_iter().map(|event| event.what);
    let phases: Vec<_> = phases.map(|what| matches!(what, EventKind::DrainChanged { .. })).collect();
    assert_eq!(phases, [true; 3], "refusals are not kept");
}

/// A listener is called outside of every lock.
#[tokio::test(start_paused = true)]
async fn a_listener_may_call_everything() {
    let registry = Registry::new();
    let drain = Drain::builder("shop").registry(&registry).build().unwrap();
    let inner = drain.clone();
    let _subscription = registry.events().listen(Interest::Changes, move |_| {
        let _ = (inner.phase(), inner.status(), inner.begin());
        inner.end();
    });
    drain.begin();
    assert_eq!(drain.phase(), Phase::Ended);
}

#[derive(Default)]
struct Numbers(Vec<(&'static str, f64)>);

impl Measures for Numbers {
    fn counter(&mut self, metric: &'static Metric, _: &[&'static str], total: u64) {
        self.0.push((metric.name, total as f64));
    }

    fn gauge(&mut self, metric: &'static Metric, _: &[&'static str], value: f64) {
        self.0.push((metric.name, value));
    }
}

#[tokio::test(start_paused = true)]
async fn the_registry_knows_it() {
    let registry = Registry::new();
    let drain = Drain::builder("shop").announce(secs(0)).registry(&registry).build().unwrap();
    let _running = drain.try_admit().unwrap();
    let policy: Arc<dyn Policy> = registry.get(PolicyKind::Drain, "shop").unwrap();
    assert_eq!((policy.snapshot().state, policy.snapshot().level), ("serving", Level::Healthy));
    drain.begin();
    drain.signal().await;
    drain.try_admit().unwrap_err();

    let snapshot = policy.snapshot();
    assert_eq!((snapshot.state, snapshot.level), ("refusing", Level::Warning));
    assert!(snapshot.values.contains(&("in_flight", Value::Count(1))));
    let mut numbers = Numbers::default();
    policy.measure(&mut numbers);
    for number in [
        ("portcullis_calls_total", 1.0),
        ("portcullis_rejections_total", 1.0),
        ("portcullis_drain_phase", 2.0),
        ("portcullis_drain_in_flight", 1.0),
    ] {
        assert!(numbers.0.contains(&number), "{number:?} in {:?}", numbers.0);
    }
}
