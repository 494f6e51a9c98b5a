//! The emergency stop: everything refuses, for a reason that everybody sees.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use portcullis::{
    AdaptiveLimit, AdaptiveLimitLayer, BoxError, Breaker, Bulkhead, BulkheadLayer, KeyedAdaptiveLimit,
    KeyedBreaker, KeyedBulkhead, KeyedBulkheadLayer, KeyedRateLimit, Level, LoadShed, PolicyKind, RateLimit,
    Reason, Registry, Rejection, ThreadPool, ThreadPoolLayer,
    event::Interest,
    metrics::{Measures, Metric},
    registry::{Policy, Snapshot, Value},
};

use tower::{Layer, Service, ServiceExt, service_fn, util::BoxService};

/// Asks a policy to let a call in.
type Ask = Box<dyn Fn() -> Result<(), Rejection>>;

const WHY: &str = "orders are lost";

/// One of each that can refuse.
fn policies(registry: &Registry) -> Vec<(PolicyKind, Ask)> {
    let breaker = Breaker::builder("x").registry(registry).build().unwrap();
    let breakers = KeyedBreaker::<Box<str>>::builder("x").registry(registry).build().unwrap();
    let bulkhead = Bulkhead::builder("x").registry(registry).build().unwrap();
    let bulkheads = KeyedBulkhead::<Box<str>>::builder("x").registry(registry).build().unwrap();
    let rate = RateLimit::builder("x").registry(registry).build().unwrap();
    let rates = KeyedRateLimit::<Box<str>>::builder("x").registry(registry).build().unwrap();
    let adaptive = AdaptiveLimit::builder("x").registry(registry).build().unwrap();
    let adaptives = KeyedAdaptiveLimit::<Box<str>>::builder("x").registry(registry).build().unwrap();
    let shed = LoadShed::builder("x").registry(registry).build().unwrap();
    let pool = ThreadPool::builder("x").registry(registry).build().unwrap();
    vec![
        (PolicyKind::ThreadPool, Box::new(move || pool.try_admit().map(drop))),
        (PolicyKind::Breaker, Box::new(move || breaker.try_admit().map(drop))),
        (PolicyKind::Breaker, Box::new(move || breakers.try_admit("key").map(drop))),
        (PolicyKind::Bulkhead, Box::new(move || bulkhead.try_admit().map(drop))),
        (PolicyKind::Bulkhead, Box::new(move || bulkheads.try_admit("key").map(drop))),
        (PolicyKind::RateLimit, Box::new(move || rate.try_admit())),
        (PolicyKind::RateLimit, Box::new(move || rates.limit("key").try_admit())),
        (PolicyKind::AdaptiveLimit, Box::new(move || adaptive.try_admit().map(drop))),
        (PolicyKind::AdaptiveLimit, Box::new(move || adaptives.limit("key").try_admit().map(drop))),
        (PolicyKind::LoadShed, Box::new(move || shed.try_admit().map(drop))),
    ]
}

#[tokio::test(start_paused = true)]
async fn everything_that_can_refuse_does_until_it_is_released() {
    let registry = Registry::new();
    let policies = policies(&registry);
    assert!(policies.iter().all(|(_, ask)| ask().is_ok()));

    registry.stop_all(WHY);
    assert_eq!(registry.stopped(), Some(WHY));
    for (at, (kind, ask)) in policies.iter().enumerate() {
        let Err(rejection) = ask() else { panic!("{at}, a {}", kind.as_str()) };
        assert_eq!(rejection.reason(), Reason::Stopped { kind: *kind, why: WHY });
        assert!(rejection.to_string().ends_with("is stopped: orders are lost"), "{rejection}");
    }
    for snapshot in registry.snapshot() {
        assert_eq!(snapshot.state, "stopped", "{snapshot:?}");
        assert!(snapshot.values.contains(&("stopped", Value::Text(WHY.into()))), "{snapshot:?}");
    }

    registry.release_all();
    assert_eq!(registry.stopped(), None);
    for (kind, ask) in &policies {
        assert_eq!(ask(), Ok(()), "{}", kind.as_str());
    }
    assert!(registry.snapshot().iter().all(|snapshot| snapshot.state != "stopped"));
}

#[tokio::test(start_paused = true)]
async fn who_comes_later_is_stopped_too() {
    let registry = Registry::new();
    registry.stop_all(WHY);
    let policies = policies(&registry);
    for (at, (kind, ask)) in policies.iter().enumerate() {
        let refused = matches!(ask().map_err(|rejection| rejection.reason()), Err(Reason::Stopped { .. }));
        assert!(refused, "{at}, a {}", kind.as_str());
    }
    registry.release_all();
    assert!(policies.iter().all(|(_, ask)| ask().is_ok()));
}

#[tokio::test(start_paused = true)]
async fn it_is_told_with_its_reason_and_again_with_another() {
    let registry = Registry::new();
    let bulkhead = Bulkhead::builder("x").registry(&registry).build().unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let inside = told.clone();
    let _subscription =
        registry.events().listen(Interest::All, move |event| inside.lock().unwrap().push(event.to_string()));
    registry.stop_all(WHY);
    registry.stop_all(WHY);
    bulkhead.try_admit().unwrap_err();
    registry.stop_all("and found");
    registry.release_all();
    registry.release_all();
    assert_eq!(
        *told.lock().unwrap(),
        [
            "bulkhead 'x' is stopped: orders are lost",
            "bulkhead 'x' is stopped: orders are lost",
            "bulkhead 'x' is stopped: and found",
            "bulkhead 'x' goes on",
        ]
    );
}

/// The first sentence is the stop, the second the refusal; of the refusals none is counted as another's.
#[tokio::test(start_paused = true)]
async fn calls_that_run_go_on_and_keep_their_permits() {
    let registry = Registry::new();
    let bulkhead =
        Bulkhead::builder("x").max_in_flight(1).queue(1, Duration::from_secs(9)).registry(&registry);
    let bulkhead = bulkhead.build().unwrap();
    let running = bulkhead.try_admit().unwrap();
    registry.stop_all(WHY);
    assert_eq!(bulkhead.status().in_flight, 1);
    assert!(
        matches!(bulkhead.admit().await.unwrap_err().reason(), Reason::Stopped { .. }),
        "it does not wait"
    );
    drop(running);
    registry.release_all();
    assert!(bulkhead.try_admit().is_ok());
}

/// Refusals by kind and reason.
#[derive(Default)]
struct Refusals(Vec<(String, u64)>);

impl Measures for Refusals {
    fn counter(&mut self, metric: &'static Metric, labels: &[&'static str], total: u64) {
        if total > 0 && metric.name.ends_with("rejections_total") {
            self.0.push((labels.join(" "), total));
        }
    }

    fn gauge(&mut self, _: &'static Metric, _: &[&'static str], _: f64) {}
}

/// A stopped load shedder counted nothing, a keyed adaptive limit neither, and a rate limit said `rate_limited`.
#[tokio::test(start_paused = true)]
async fn each_refusal_is_counted_by_its_own_reason() {
    let registry = Registry::new();
    let policies = policies(&registry);
    registry.stop_all(WHY);
    policies.iter().for_each(|(_, ask)| drop(ask().unwrap_err()));
    for policy in registry.policies() {
        let snapshot = policy.snapshot();
        // Breakers count by state: isolated. What keys without a place share was not asked.
        if snapshot.kind == PolicyKind::Breaker || *snapshot.name != *"x" {
            continue;
        }
        let mut refusals = Refusals::default();
        policy.measure(&mut refusals);
        assert_eq!(refusals.0, [(format!("{} stopped enforced", snapshot.kind.as_str()), 1)]);
        let rejected = ("rejected", Value::Count(1));
        assert!(snapshot.values.contains(&rejected), "{snapshot:?}");
    }
}

/// A reset is for what breakers remember; it let calls through while everything was stopped.
#[tokio::test(start_paused = true)]
async fn a_reset_of_all_does_not_end_it() {
    let registry = Registry::new();
    let policies = policies(&registry);
    registry.stop_all(WHY);
    registry.reset_all();
    for (at, (kind, ask)) in policies.iter().enumerate() {
        assert!(ask().is_err(), "{at}, a {}", kind.as_str());
    }
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_is_released_by_hand_does_not_say_that_it_is_stopped() {
    let registry = Registry::new();
    let breaker = Breaker::builder("x").registry(&registry).build().unwrap();
    registry.stop_all(WHY);
    breaker.release();
    assert!(breaker.try_admit().is_ok());
    assert_eq!(registry.snapshot()[0].state, "closed");
}

/// A policy that is stopped at the very moment at which somebody releases all.
struct Late {
    registry: Registry,
    stopped: AtomicBool,
}

impl Policy for Late {
    fn snapshot(&self) -> Snapshot {
        Snapshot {
            name: "late".into(),
            kind: PolicyKind::Check,
            state: "",
            level: Level::Healthy,
            values: vec![],
        }
    }

    fn stop(&self, _: &str) {
        self.registry.release_all();
        self.stopped.store(true, SeqCst);
    }

    fn release(&self) {
        self.stopped.store(false, SeqCst);
    }
}

/// It stayed behind, stopped for ever.
#[test]
fn who_joins_while_all_are_released_is_released_too() {
    let registry = Registry::new();
    registry.stop_all(WHY);
    let late = Arc::new(Late { registry: registry.clone(), stopped: AtomicBool::new(false) });
    registry.join(PolicyKind::Check, "late".into(), &late);
    assert_eq!(registry.stopped(), None);
    assert!(!late.stopped.load(SeqCst));
}

#[cfg(feature = "http")]
#[test]
fn it_is_refused_in_the_words_of_http() {
    let registry = Registry::new();
    let breaker = Breaker::builder("x").registry(&registry).build().unwrap();
    registry.stop_all(WHY);
    let refusal = portcullis::protocol::refusal(breaker.try_admit().unwrap_err());
    assert_eq!(
        (refusal.status().as_u16(), &refusal.headers()["portcullis-reason"]),
        (503, &"stopped".parse().unwrap())
    );
}

/// What was full when everything was stopped said so, and not why nothing works.
#[tokio::test(start_paused = true)]
async fn what_is_full_is_refused_for_the_reason_of_the_stop_too() {
    let registry = Registry::new();
    let bulkhead = Bulkhead::builder("x").max_in_flight(1).registry(&registry).build().unwrap();
    let keyed =
        KeyedBulkhead::<Box<str>>::builder("x").overall(1).per_key(1).registry(&registry).build().unwrap();
    let adaptive = AdaptiveLimit::builder("x").between(1, 1).initial(1).registry(&registry).build().unwrap();
    let pool = ThreadPool::builder("x").threads(1).registry(&registry).build().unwrap();
    let inner = service_fn(|_: &'static str| pending::<Result<(), BoxError>>());
    let key = |name: &&'static str| Some(Box::<str>::from(*name));
    let services: [BoxService<&'static str, (), BoxError>; 4] = [
        BoxService::new(BulkheadLayer::new(bulkhead.clone()).layer(inner)),
        BoxService::new(KeyedBulkheadLayer::new(keyed.clone(), key).layer(inner)),
        BoxService::new(AdaptiveLimitLayer::new(adaptive.clone()).layer(inner)),
        BoxService::new(ThreadPoolLayer::new(pool.clone()).layer(inner)),
    ];
    for mut service in services {
        let running = service.ready().await.unwrap().call("key");
        let mut running = tokio_test::task::spawn(running);
        assert!(running.poll().is_pending());
        registry.stop_all(WHY);
        let refused = service.ready().await.unwrap().call("key").await.unwrap_err();
        let refused = refused.downcast::<Rejection>().unwrap();
        assert!(matches!(refused.reason(), Reason::Stopped { why: WHY, .. }), "{refused}");
        registry.release_all();
    }
    // The pool's thread has to notice first that its call is gone.
    assert!(!bulkhead.is_refusing() && !keyed.is_refusing() && !adaptive.is_refusing());
    registry.stop_all(WHY);
    assert!(bulkhead.is_refusing() && keyed.is_refusing() && adaptive.is_refusing() && pool.is_refusing());
}
