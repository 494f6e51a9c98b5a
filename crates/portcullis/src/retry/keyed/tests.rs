//! The keyed retry.

use std::{
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use allocation_counter::measure;
use portcullis_core::{
    Failure, FailureKind, Mode, PolicyKind,
    retry::{Backoff, BudgetConfig},
};
use tokio::time::sleep;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::{KeyedRetry, KeyedRetryBuilder};
use crate::{
    BoxError, Registry, RetryLayer, RetryPolicy,
    event::{EventKind, Interest, Received},
    keyed::by,
    registry::Value,
    retry::{Config, Stop},
};

const SECOND: Duration = Duration::from_secs(1);

/// Two retries a second for each key, and three attempts without a wait.
fn builder() -> KeyedRetryBuilder {
    let builder = KeyedRetry::builder("upstream").registry(&Registry::new());
    builder.backoff(Backoff::NONE).budget_of(0.0, 2)
}

async fn fail(policy: &RetryPolicy) {
    policy.call_idempotent(|_| async { Err::<(), _>(BoxError::from("down")) }).await.unwrap_err();
}

fn spend(policy: &RetryPolicy) {
    while policy.budget().withdraw(FailureKind::Other).is_some() {}
}

#[test]
fn the_defaults_are_valid() {
    assert!(KeyedRetry::new("defaults").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_key_that_fails_spends_no_others_budget() {
    let hosts = builder().build().unwrap();
    for _ in 0..3 {
        fail(&hosts.policy("a")).await;
    }
    fail(&hosts.policy("b")).await;

    let of = |key| hosts.get(key).unwrap().status();
    assert_eq!((of("a").retries, of("a").over_budget, of("a").exhausted), (2, 2, 1));
    assert_eq!((of("b").retries, of("b").over_budget, of("b").exhausted), (2, 0, 1));
    let all = hosts.status().all;
    assert_eq!((all.retries, all.stopped(Stop::Budget), all.budget_available), (4, 2, 2));
    assert_eq!(all.retries_after(FailureKind::Other), 4);
}

#[tokio::test(start_paused = true)]
async fn a_layer_finds_the_key_of_a_request() {
    let hosts = builder().keys::<u64>().build().unwrap();
    let attempts = AtomicU32::new(0);
    let service = ServiceBuilder::new()
        .layer(RetryLayer::by(hosts.by(|request: &Option<u64>| *request)).idempotent())
        .service(service_fn(|_| {
            attempts.fetch_add(1, Relaxed);
            async { Err::<(), _>(BoxError::from("down")) }
        }));
    let sent = async |key: Option<u64>| {
        service.clone().oneshot(key).await.unwrap_err();
        attempts.swap(0, Relaxed)
    };
    assert_eq!((sent(Some(1)).await, sent(Some(1)).await, sent(Some(2)).await), (3, 1, 3));
    assert_eq!(sent(None).await, 1, "a request without a key is sent once");
    assert_eq!(&**hosts.policy(&42).name(), "upstream/42");
    let texts = RetryLayer::by(KeyedRetry::new("texts").by(by::text(|text: &String| Some(text))));
    assert!(format!("{texts:?}").contains("ByKey"));
}

/// What a flood of keys could otherwise do: give who spent his budget a new one.
#[tokio::test(start_paused = true)]
async fn a_key_stays_until_its_budget_is_full_again() {
    let hosts = builder().max_keys(2).idle_after(SECOND / 1000).build().unwrap();
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

/// Nothing but calls fills these, and there may never be one again.
#[tokio::test(start_paused = true)]
async fn budgets_that_time_does_not_fill_go_when_they_are_idle() {
    for budget in [BudgetConfig::THROTTLE, BudgetConfig::COST] {
        let config = Config { budget, ..Config::default() };
        let hosts = builder().config(config).max_keys(1).idle_after(60 * SECOND).build().unwrap();
        let policy = hosts.policy("a");
        for _ in 0..200 {
            let _ = policy.begin().idempotent(true).next(&Failure::new(FailureKind::Timeout));
        }
        assert!(policy.status().over_budget > 0);
        drop(policy);
        hosts.policy("b");
        assert_eq!(hosts.status().overflows, 1, "a stays");
        sleep(60 * SECOND).await;
        assert_eq!(&**hosts.policy("b").name(), "upstream/b");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_in_use_stays() {
    let hosts = builder().max_keys(1).build().unwrap();
    let call = hosts.policy("a").begin();
    sleep(3600 * SECOND).await;
    assert_eq!(hosts.sweep(), 0, "a call of it is under way");
    assert_eq!(&**hosts.policy("b").name(), "upstream/(other)");
    drop(call);
    let held = hosts.get("a");
    assert_eq!(hosts.sweep(), 0, "its policy is held");
    drop(held);
    assert_eq!(hosts.sweep(), 1);
}

#[tokio::test(start_paused = true)]
async fn keys_without_room_share_one_that_is_seen() {
    let registry = Registry::new();
    let hosts = builder().registry(&registry).max_keys(1).build().unwrap();
    spend(&hosts.policy("a"));
    for key in ["b", "c"] {
        fail(&hosts.policy(key)).await;
    }
    let status = hosts.status();
    assert_eq!((status.keys, status.max_keys, status.overflows), (1, 1, 2));
    assert_eq!((status.overflow.retries, status.overflow.over_budget), (2, 1));
    assert_eq!((status.all.retries, hosts.overflow().status()), (0, status.overflow));

    let seen = registry.snapshot();
    let names: Vec<_> = seen.iter().map(|one| (one.kind, &*one.name)).collect();
    let other = "upstream/(other)";
    let expected = [(PolicyKind::Retry, "upstream"), (PolicyKind::Retry, other), (PolicyKind::Budget, other)];
    assert_eq!(names, expected, "a key is in no registry");
    assert_eq!(
        seen[0].values.iter().find(|value| value.0 == "overflows"),
        Some(&("overflows", Value::Count(2)))
    );
}

#[tokio::test(start_paused = true)]
async fn settings_reach_every_key_and_budgets_keep_what_they_have() {
    let registry = Registry::new();
    let hosts = builder().registry(&registry).build().unwrap();
    spend(&hosts.policy("a"));
    let config = Config { max_attempts: 2, budget: BudgetConfig::share(0.0, 5), ..(*hosts.config()).clone() };
    hosts.reconfigure(config.clone()).unwrap();

    for policy in [hosts.policy("a"), hosts.policy("b"), hosts.overflow().clone()] {
        assert_eq!(*policy.config(), config);
    }
    assert_eq!((hosts.policy("a").budget().available(), hosts.policy("b").budget().available()), (0, 5));
    sleep(SECOND / 2).await;
    assert_eq!(hosts.policy("a").budget().available(), 2, "at the new rate");

    hosts.set_mode(Mode::Disabled).unwrap();
    fail(&hosts.policy("b")).await;
    assert_eq!(hosts.status().all.retries, 0);
    assert_eq!((hosts.status().all.mode, hosts.status().overflow.mode), (Mode::Disabled, Mode::Disabled));
    let error = hosts.set_mode(Mode::EnforcePercent(101)).unwrap_err();
    assert_eq!((error.field(), hosts.config().mode), ("retry.mode.enforce_percent", Mode::Disabled));
    let told: Vec<_> =
        registry.events().recent().iter().map(|event| (event.what.as_str(), event.policy.clone())).collect();
    assert_eq!(told, [("config_changed", "upstream".into()), ("config_changed", "upstream".into())]);
    assert_eq!(hosts.recent_events().len(), 2);
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
                    let config = Config { max_attempts: 1 + (n + thread) % 100, ..(*hosts.config()).clone() };
                    hosts.reconfigure(config).unwrap();
                }
            });
        }
    });
    let config = hosts.config();
    let mut keys = 0;
    hosts.for_each(|key, policy| {
        keys += 1;
        assert_eq!(policy.config(), config, "{key}");
    });
    assert_eq!(keys, 1000);
}

#[tokio::test(start_paused = true)]
async fn a_key_tells_in_its_own_name() {
    let registry = Registry::new();
    let hosts = builder().registry(&registry).build().unwrap();
    let mut events = registry.events().subscribe("test");
    let _all = registry.events().listen(Interest::All, |_| ());
    fail(&hosts.policy("a")).await;
    let Received::Event(event) = events.next().await.unwrap() else { panic!("lagged") };
    assert_eq!((&*event.policy, event.kind), ("upstream/a", PolicyKind::Retry));
    assert!(matches!(event.what, EventKind::Retry { attempt: 2, .. }), "{event:?}");
}

#[test]
fn a_key_costs_less_than_two_kilobytes() {
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
    assert!(each <= 2048, "{each} bytes a key");

    let again = measure(|| hosts.reconfigure((*hosts.config()).clone()).unwrap());
    assert!(again.bytes_current < 5_000, "{} bytes more for other settings", again.bytes_current);
}

#[test]
fn calls_of_known_keys_allocate_nothing() {
    let hosts = builder().build().unwrap();
    hosts.policy("a").begin().succeeded();
    let counts = measure(|| (0..100).for_each(|_| hosts.policy("a").begin().succeeded()));
    assert_eq!(counts.count_total, 0);
}
