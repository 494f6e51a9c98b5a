//! What is told of checks: events, metrics, the registry.

use portcullis::{
    BoxError, Level, PolicyKind,
    event::{EventKind, Interest},
    metrics::{Measures, Metric, names},
    registry::Policy,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};
use tokio::time::sleep;

use crate::support::{fails, hangs, monitor, secs};

#[tokio::test(start_paused = true)]
async fn changes_are_told_and_nothing_else() {
    let monitor = monitor();
    let told = Arc::new(Mutex::new(Vec::new()));
    let into = told.clone();
    let events = monitor.registry().events();
    let _subscription = events.listen(Interest::Changes, move |event| {
        assert_eq!((event.kind, &*event.policy), (PolicyKind::Check, "x"));
        into.lock().unwrap().push(event.what.clone());
    });
    let turn = Arc::new(AtomicU32::new(0));
    let check = move || {
        let turn = turn.fetch_add(1, Relaxed);
        async move { if turn < 3 { Ok(()) } else { Err(BoxError::from("gone")) } }
    };
    monitor.check("x").interval(secs(3600)).critical(true).spawn(check).unwrap();
    for _ in 0..6 {
        monitor.run_now().await;
    }

    let changed = |from, to, message: Option<&str>| EventKind::HealthChanged {
        from,
        to,
        message: message.map(Into::into),
    };
    let expected = [
        changed(Level::Warning, Level::Healthy, None),
        changed(Level::Healthy, Level::Critical, Some("gone")),
    ];
    assert_eq!(*told.lock().unwrap(), expected);
    assert_eq!(expected[1].to_string(), "was healthy and is critical: gone");
    let policy = monitor.registry().get(PolicyKind::Check, "x").unwrap();
    assert_eq!(policy.recent_events().len(), 2);
}

/// A listener that asks the monitor, of whose check it hears.
#[tokio::test(start_paused = true)]
async fn t39_a_listener_may_ask_and_change_the_monitor() {
    let monitor = monitor();
    let asked = monitor.clone();
    let _subscription = monitor.registry().events().listen(Interest::All, move |event| {
        if let EventKind::HealthChanged { to: Level::Degraded, .. } = event.what {
            assert_eq!(asked.status("x").unwrap().level, Level::Degraded);
            asked.remove("x");
        }
    });
    monitor.check("x").spawn(fails).unwrap();
    monitor.run_now().await;
    sleep(secs(1)).await;
    assert!(monitor.statuses().is_empty());
}

#[derive(Default)]
struct Seen(BTreeMap<String, f64>, Vec<f64>);

impl Measures for Seen {
    fn counter(&mut self, metric: &'static Metric, labels: &[&'static str], total: u64) {
        self.0.insert(format!("{}{labels:?}", metric.name), total as f64);
    }

    fn gauge(&mut self, metric: &'static Metric, _: &[&'static str], value: f64) {
        self.0.insert(metric.name.to_owned(), value);
    }

    fn histogram(&mut self, metric: &'static Metric, _: &[&'static str], total: u64, last: &[f64]) {
        assert_eq!(metric, &names::HEALTH_CHECK_DURATION);
        self.0.insert(metric.name.to_owned(), total as f64);
        self.1 = last.to_vec();
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_is_measured() {
    let monitor = monitor();
    monitor.check("x").timeout(secs(2)).interval(secs(3600)).history(2).spawn(hangs).unwrap();
    for _ in 0..3 {
        monitor.run_now().await;
    }
    let mut seen = Seen::default();
    let policy: Arc<dyn Policy> = monitor.registry().get(PolicyKind::Check, "x").unwrap();
    policy.measure(&mut seen);
    assert_eq!(seen.0["portcullis_health"], 2.0);
    assert_eq!(seen.0["portcullis_health_checks_total[\"timeout\"]"], 3.0);
    assert_eq!(seen.0["portcullis_health_checks_total[\"success\"]"], 0.0);
    assert_eq!(seen.0["portcullis_health_check_duration_seconds"], 3.0);
    assert_eq!(seen.1, [2.0, 2.0]);
}
