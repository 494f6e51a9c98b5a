//! What a hedge tells of itself.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use portcullis::{
    Hedge, PolicyKind, Registry,
    event::{EventKind, Interest},
    metrics::{Measures, Metric, names},
    registry::Value,
};

use super::support::{Act, Dependency, ms};

#[derive(Default)]
struct Seen(BTreeMap<String, u64>);

impl Measures for Seen {
    fn counter(&mut self, metric: &'static Metric, labels: &[&'static str], total: u64) {
        self.0.insert(format!("{} {}", metric.name, labels.join(" ")), total);
    }

    fn gauge(&mut self, _: &'static Metric, _: &[&'static str], _: f64) {}
}

#[tokio::test(start_paused = true)]
async fn it_is_in_its_registry_with_all_its_numbers() {
    let registry = Registry::new();
    let hedge =
        Hedge::builder("search").fixed_delay(ms(20)).registry(&registry).budget_of(0.0, 3).build().unwrap();
    for acts in [[Act::Hang, Act::Ok(5)], [Act::Ok(30), Act::Hang], [Act::Ok(30), Act::Fail(5, "down")]] {
        Dependency::of(acts).call(&hedge).await.unwrap();
    }
    Dependency::of([Act::Ok(30)]).call(&hedge).await.unwrap();

    let policy = registry.get(PolicyKind::Hedge, "search").unwrap();
    let snapshot = policy.snapshot();
    assert_eq!((snapshot.kind, snapshot.state), (PolicyKind::Hedge, "budget_spent"));
    let values: BTreeMap<_, _> = snapshot.values.into_iter().collect();
    for (name, count) in
        [("calls", 4), ("sent", 3), ("won", 1), ("lost", 1), ("failed", 1), ("denied", 1), ("delay_ms", 20)]
    {
        assert_eq!(values[name], Value::Count(count), "{name}");
    }

    let mut seen = Seen::default();
    policy.measure(&mut seen);
    let totals: Vec<_> = seen.0.iter().map(|(name, total)| (&**name, *total)).collect();
    let of = |result, total| (format!("portcullis_hedges_total {result}"), total);
    let ended = ["denied", "failed", "lost"].map(|result| of(result, 1));
    let unsent = ["not_replayable", "over_time", "shadowed"].map(|result| of(result, 0));
    let calls = [(format!("{} ", names::HEDGE_CALLS.name), 4)];
    let expected: Vec<_> = calls.into_iter().chain(ended).chain(unsent).chain([of("won", 1)]).collect();
    assert_eq!(totals, expected.iter().map(|(name, total)| (&**name, *total)).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn each_hedge_is_told_to_who_listens() {
    let registry = Registry::new();
    let hedge =
        Hedge::builder("told").fixed_delay(ms(20)).max_attempts(3).registry(&registry).build().unwrap();
    let told = Arc::new(Mutex::new(vec![]));
    let its = told.clone();
    let _subscription = registry.events().listen(Interest::All, move |event| {
        if let EventKind::Hedge { attempt } = event.what {
            its.lock().unwrap().push((event.policy.to_string(), attempt));
        }
    });
    Dependency::of([Act::Ok(100)]).call(&hedge).await.unwrap();
    assert_eq!(*told.lock().unwrap(), [("told".to_owned(), 2), ("told".to_owned(), 3)]);
    hedge.set_mode(portcullis::Mode::Shadow).unwrap();
    assert_eq!(hedge.recent_events().len(), 1);
}
