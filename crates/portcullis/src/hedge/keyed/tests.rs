//! The keyed hedge.

use std::{
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use allocation_counter::measure;
use portcullis_core::{FailureKind, Mode, PolicyKind, retry::BudgetConfig};
use tokio::time::sleep;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::{KeyedHedge, KeyedHedgeBuilder};
use crate::{
    BoxError, Hedge, HedgeLayer, Registry,
    event::{EventKind, Interest, Received},
    hedge::Config,
    keyed::by,
    metrics::{Measures, Metric},
    registry::Value,
};

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

/// Two hedges a second for each key, after 20 ms.
fn builder() -> KeyedHedgeBuilder {
    let builder = KeyedHedge::builder("upstream").registry(&Registry::new());
    builder.fixed_delay(20 * MILLI).budget_of(0.0, 2)
}

/// A call that takes so long, whichever attempt.
async fn call(hedge: &Hedge, takes: Duration) {
    hedge
        .call(|_| async move {
            sleep(takes).await;
            Ok::<_, BoxError>(())
        })
        .await
        .unwrap();
}

fn spend(hedge: &Hedge) {
    while hedge.budget().withdraw(FailureKind::Slow).is_some() {}
}

#[test]
fn the_defaults_are_valid() {
    assert!(KeyedHedge::new("defaults").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_slow_spends_no_others_budget() {
    let hosts = builder().build().unwrap();
    for _ in 0..4 {
        call(&hosts.policy("a"), 30 * MILLI).await;
    }
    call(&hosts.policy("b"), 30 * MILLI).await;

    let of = |key| hosts.get(key).unwrap().status();
    assert_eq!((of("a").calls, of("a").sent, of("a").denied), (4, 2, 2));
    assert_eq!((of("b").calls, of("b").sent, of("b").denied), (1, 1, 0));
    let all = hosts.status().all;
    assert_eq!((all.calls, all.sent, all.lost, all.denied, all.budget_available), (5, 3, 3, 2, 2));
    assert_eq!(all.delay, Some(20 * MILLI));
}

#[tokio::test(start_paused = true)]
async fn each_key_has_a_delay_of_its_own() {
    let hosts = builder().percentile(0.95).build().unwrap();
    for _ in 0..200 {
        call(&hosts.policy("fast"), 10 * MILLI).await;
        call(&hosts.policy("slow"), 100 * MILLI).await;
    }
    sleep(2 * SECOND).await; // a delay is looked up now and then
    let delay = |key| hosts.get(key).unwrap().status().delay.unwrap();
    assert!(
        delay("fast") < 12 * MILLI && delay("slow") > 90 * MILLI,
        "{:?} {:?}",
        delay("fast"),
        delay("slow")
    );
    assert_eq!(hosts.status().all.delay, None);
}

#[tokio::test(start_paused = true)]
async fn a_layer_finds_the_key_of_a_request() {
    let hosts = builder().keys::<u64>().build().unwrap();
    let attempts = AtomicU32::new(0);
    let service = ServiceBuilder::new()
        .layer(HedgeLayer::by(hosts.by(|request: &Option<u64>| *request)).idempotent())
        .service(service_fn(|_| {
            attempts.fetch_add(1, Relaxed);
            async {
                sleep(SECOND / 20).await;
                Ok::<_, BoxError>(())
            }
        }));
    let sent = async |key: Option<u64>| {
        service.clone().oneshot(key).await.unwrap();
        attempts.swap(0, Relaxed)
    };
    assert_eq!(
        (sent(Some(1)).await, sent(Some(1)).await, sent(Some(1)).await),
        (2, 2, 1),
        "its budget is spent"
    );
    assert_eq!(sent(Some(2)).await, 2);
    assert_eq!(sent(None).await, 1, "a request without a key is sent once");
    assert_eq!(&**hosts.policy(&42).name(), "upstream/42");
    let texts = HedgeLayer::by(KeyedHedge::new("texts").by(by::text(|text: &String| Some(text))));
    assert!(format!("{texts:?}").contains("ByKey"));
}

/// What a flood of keys could otherwise do: give who spent his budget a new one.
#[tokio::test(start_paused = true)]
async fn a_key_stays_until_its_budget_is_full_again() {
    let hosts = builder().max_keys(2).idle_after(MILLI).build().unwrap();
    spend(&hosts.policy("spent"));
    hosts.policy("full");
    hosts.policy("new");
    assert!(hosts.get("spent").is_some() && hosts.get("full").is_none());
    sleep(SECOND / 2).await;
    assert_eq!(hosts.sweep(), 1, "new is idle");
    sleep(SECOND).await;
    assert_eq!((hosts.sweep(), hosts.len()), (1, 0));
    assert_eq!((hosts.evictions().full, hosts.evictions().idle), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn what_is_in_use_stays() {
    let hosts = builder().max_keys(1).build().unwrap();
    let held = hosts.policy("a");
    let running = tokio::spawn(async move { call(&held, 7200 * SECOND).await });
    sleep(3600 * SECOND).await;
    assert_eq!(hosts.sweep(), 0, "a call of it is under way");
    assert_eq!(&**hosts.policy("b").name(), "upstream/(other)");
    running.abort();
    let _ = running.await;
    sleep(SECOND).await;
    assert_eq!(hosts.sweep(), 1);
}

#[tokio::test(start_paused = true)]
async fn keys_without_room_share_one_that_is_seen() {
    let registry = Registry::new();
    let hosts = builder().registry(&registry).max_keys(1).build().unwrap();
    spend(&hosts.policy("a"));
    for key in ["b", "c"] {
        call(&hosts.policy(key), 30 * MILLI).await;
    }
    let status = hosts.status();
    assert_eq!((status.keys, status.max_keys, status.overflows), (1, 1, 2));
    assert_eq!((status.overflow.calls, status.overflow.sent), (2, 2));
    assert_eq!((status.all.calls, hosts.overflow().status()), (0, status.overflow));

    let seen = registry.snapshot();
    let names: Vec<_> = seen.iter().map(|one| (one.kind, &*one.name)).collect();
    let other = "upstream/(other)";
    let expected = [(PolicyKind::Hedge, "upstream"), (PolicyKind::Budget, other), (PolicyKind::Hedge, other)];
    assert_eq!(names, expected, "a key is in no registry");
    assert!(seen[0].values.contains(&("overflows", Value::Count(2))));
    assert!(seen[0].values.contains(&("delay_ms", Value::Count(20))));
}

#[tokio::test(start_paused = true)]
async fn settings_reach_every_key_and_budgets_keep_what_they_have() {
    let registry = Registry::new();
    let hosts = builder().registry(&registry).build().unwrap();
    spend(&hosts.policy("a"));
    let config = Config { max_attempts: 3, budget: BudgetConfig::share(0.0, 5), ..(*hosts.config()).clone() };
    hosts.reconfigure(config.clone()).unwrap();

    for hedge in [hosts.policy("a"), hosts.policy("b"), hosts.overflow().clone()] {
        assert_eq!(*hedge.config(), config);
    }
    assert_eq!((hosts.policy("a").budget().available(), hosts.policy("b").budget().available()), (0, 5));
    sleep(SECOND / 2).await;
    assert_eq!(hosts.policy("a").budget().available(), 2, "at the new rate");

    hosts.set_mode(Mode::Disabled).unwrap();
    call(&hosts.policy("b"), SECOND).await;
    assert_eq!(hosts.status().all.calls, 0);
    assert_eq!((hosts.status().all.mode, hosts.status().overflow.mode), (Mode::Disabled, Mode::Disabled));
    hosts.set_mode(Mode::Shadow).unwrap();
    call(&hosts.policy("b"), SECOND).await;
    assert_eq!((hosts.status().all.shadowed, hosts.get("b").unwrap().status().shadowed), (1, 1));
    let error = hosts.set_mode(Mode::EnforcePercent(101)).unwrap_err();
    assert_eq!((error.field(), hosts.config().mode), ("hedge.mode.enforce_percent", Mode::Shadow));
    assert_eq!((registry.events().recent().len(), hosts.recent_events().len()), (3, 3));
}

#[test]
fn keys_that_are_made_meanwhile_have_the_last_settings() {
    let hosts = builder().max_keys(100_000).build().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let hosts = &hosts;
            scope.spawn(move || {
                for n in 0..500 {
                    hosts.policy(format!("host-{thread}-{n}").as_str());
                }
            });
            scope.spawn(move || {
                for n in 1..=100 {
                    let config = Config { max_attempts: 2 + (n + thread) % 4, ..(*hosts.config()).clone() };
                    hosts.reconfigure(config).unwrap();
                }
            });
        }
    });
    let config = hosts.config();
    let mut keys = 0;
    hosts.for_each(|key, hedge| {
        keys += 1;
        assert_eq!(hedge.config(), config, "{key}");
    });
    assert_eq!(keys, 1000);
}

#[tokio::test(start_paused = true)]
async fn a_key_tells_in_its_own_name() {
    let registry = Registry::new();
    let hosts = builder().registry(&registry).build().unwrap();
    let mut events = registry.events().subscribe("test");
    let _all = registry.events().listen(Interest::All, |_| ());
    call(&hosts.policy("a"), 30 * MILLI).await;
    let Received::Event(event) = events.next().await.unwrap() else { panic!("lagged") };
    assert_eq!((&*event.policy, event.kind), ("upstream/a", PolicyKind::Hedge));
    assert!(matches!(event.what, EventKind::Hedge { attempt: 2 }), "{event:?}");
}

struct Names(Vec<String>);

impl Measures for Names {
    fn counter(&mut self, metric: &'static Metric, labels: &[&'static str], total: u64) {
        if total > 0 {
            self.0.push(format!("{} {} {total}", metric.name, labels.join(" ")));
        }
    }

    fn gauge(&mut self, metric: &'static Metric, _: &[&'static str], value: f64) {
        self.0.push(format!("{} {value}", metric.name));
    }
}

#[tokio::test(start_paused = true)]
async fn all_keys_are_one_series() {
    let registry = Registry::new();
    let hosts = builder().registry(&registry).build().unwrap();
    for key in ["a", "b"] {
        call(&hosts.policy(key), 30 * MILLI).await;
    }
    let mut seen = Names(Vec::new());
    registry.get(PolicyKind::Hedge, "upstream").unwrap().measure(&mut seen);
    let expected = [
        "portcullis_hedge_calls_total  2",
        "portcullis_hedges_total lost 2",
        "portcullis_hedge_delay_seconds 0.02",
        "portcullis_keyed_entries 2",
    ];
    assert_eq!(seen.0, expected);
}

#[test]
fn a_key_costs_two_and_a_half_kilobytes_until_it_is_timed() {
    const KEYS: usize = 10_000;
    let mut kept = None;
    let counts = measure(|| {
        let hosts = builder().build().unwrap();
        (0..KEYS).for_each(|n| drop(hosts.policy(format!("host-{n:011}").as_str())));
        kept = Some(hosts);
    });
    let hosts = kept.unwrap();
    let each = counts.bytes_current as usize / hosts.len();
    println!("{each} bytes a key of 16 bytes");
    assert_eq!(hosts.len(), KEYS);
    assert!(each <= 2560, "{each} bytes a key");
}
