//! What a registry, listeners and metrics see.

use std::sync::{Arc, Mutex};

use portcullis::{
    Level, Mode, PolicyKind, Registry, Verdict,
    event::{EventKind, Interest},
    metrics::{Measures, Metric},
    registry::Value,
};

use super::support::{limit, ms, rounds};

#[tokio::test(start_paused = true)]
async fn a_snapshot_tells_how_full_it_is() {
    let registry = Registry::new();
    let limit = limit(1).registry(&registry).build().unwrap();
    let seen = || registry.get(PolicyKind::AdaptiveLimit, "limit").unwrap().snapshot();
    assert_eq!((seen().state, seen().level), ("active", Level::Healthy));
    assert!(seen().values.contains(&("algorithm", Value::Word("vegas"))));
    let _held = limit.try_admit().unwrap();
    limit.try_admit().unwrap_err();
    assert_eq!((seen().state, seen().level), ("full", Level::Warning));
    assert!(seen().values.contains(&("rejected", Value::Count(1))));
}

#[tokio::test(start_paused = true)]
async fn listeners_hear_of_refusals_and_of_every_change() {
    let registry = Registry::new();
    let heard = Arc::new(Mutex::new((Vec::new(), 20)));
    let told = heard.clone();
    let limit = limit(20).registry(&registry).build().unwrap();
    let asked = limit.clone();
    let _subscription = registry.events().listen(Interest::All, move |event| {
        let (refusals, current) = &mut *told.lock().unwrap();
        match &event.what {
            EventKind::Rejected { enforced, .. } => refusals.push(*enforced),
            EventKind::LimitChanged { from, to } => {
                assert_eq!((*from, asked.status().limit), (*current, *to), "{event}");
                *current = *to;
            }
            _ => {}
        }
    });
    limit.set_mode(Mode::Shadow).unwrap();
    let tickets: Vec<_> = (0..21).map(|_| limit.try_admit().unwrap()).collect();
    drop(tickets);
    limit.set_mode(Mode::Enforce).unwrap();
    rounds(&limit, 100, ms(20), Verdict::Success).await;

    let (refusals, current) = &*heard.lock().unwrap();
    assert_eq!((refusals[0], refusals[1]), (false, true));
    assert_eq!(*current, limit.status().limit);
    assert!(*current > 50);
    let kept: Vec<_> = limit.recent_events().iter().map(|event| event.what.as_str()).collect();
    assert_eq!(kept, ["config_changed", "config_changed"]);
}

#[derive(Default)]
struct Seen(Vec<(String, f64)>);

impl Measures for Seen {
    fn counter(&mut self, metric: &'static Metric, labels: &[&'static str], value: u64) {
        self.0.push((format!("{}{labels:?}", metric.name), value as f64));
    }

    fn gauge(&mut self, metric: &'static Metric, labels: &[&'static str], value: f64) {
        self.0.push((format!("{}{labels:?}", metric.name), value));
    }
}

#[tokio::test(start_paused = true)]
async fn metrics_tell_the_limit_and_how_calls_ended() {
    let registry = Registry::new();
    let limit = limit(1).registry(&registry).build().unwrap();
    drop(limit.try_admit().unwrap());
    let _held = limit.try_admit().unwrap();
    limit.try_admit().unwrap_err();
    let mut seen = Seen::default();
    registry.get(PolicyKind::AdaptiveLimit, "limit").unwrap().measure(&mut seen);
    for (name, value) in [
        ("portcullis_limit[]", 1.0),
        ("portcullis_limit_in_flight[]", 1.0),
        ("portcullis_calls_total[\"adaptive_limit\", \"abandoned\"]", 1.0),
        ("portcullis_calls_total[\"adaptive_limit\", \"rejected\"]", 1.0),
        ("portcullis_rejections_total[\"adaptive_limit\", \"limit_reached\", \"enforced\"]", 1.0),
    ] {
        assert!(seen.0.contains(&(name.to_owned(), value)), "{name}: {:?}", seen.0);
    }
}
