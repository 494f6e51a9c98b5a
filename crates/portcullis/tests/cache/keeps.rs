//! What is kept, for how long, and how much of it.

use std::{future::poll_fn, io};

use portcullis::{BoxError, Cache, CacheLayer, Mode, Registry, cache::Config, keyed::by};
use tokio::time::advance;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{Calls, ask, ms, prices, service, settle, slow};

#[tokio::test(start_paused = true)]
async fn an_answer_serves_until_its_time_is_over() {
    let cache = prices().ttl(ms(100)).build().unwrap();
    let service = slow(&cache, ms(0));
    assert_eq!(ask(&service, "apple").await.unwrap(), 1);
    advance(ms(99)).await;
    assert_eq!(ask(&service, "apple").await.unwrap(), 1);
    advance(ms(1)).await;
    assert_eq!(ask(&service, "apple").await.unwrap(), 2);
    assert_eq!(ask(&service, "pear").await.unwrap(), 3);
    let status = cache.status();
    assert_eq!((status.hits, status.misses, status.entries), (1, 3, 2));
}

#[tokio::test(start_paused = true)]
async fn each_can_have_a_time_of_its_own() {
    let cache = prices().ttl(ms(100)).ttl_of(|key, value| match &**key {
        "short" => Some(ms(u64::from(*value))),
        "never" => Some(ms(0)),
        _ => None,
    });
    let cache = cache.build().unwrap();
    for key in ["short", "never", "usual"] {
        cache.insert(key.into(), 10);
    }
    cache.insert_for("long".into(), 10, ms(200));
    let all = || ["short", "never", "usual", "long"].map(|key| cache.get(key).is_some());
    assert_eq!(all(), [true, false, true, true]);
    advance(ms(10)).await;
    assert_eq!(all(), [false, false, true, true]);
    advance(ms(90)).await;
    assert_eq!(all(), [false, false, false, true]);
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_together_does_not_end_together() {
    let cache = prices().ttl(ms(1000)).jitter(0.5).seed(7).build().unwrap();
    for key in 0..100 {
        cache.insert(key.to_string().into(), key);
    }
    let left = || (0..100).filter(|key| cache.get(key.to_string().as_str()).is_some()).count();
    advance(ms(499)).await;
    assert_eq!(left(), 100);
    advance(ms(251)).await;
    assert!((30..70).contains(&left()), "{}", left());
    advance(ms(250)).await;
    assert_eq!(left(), 0);
}

#[tokio::test(start_paused = true)]
async fn requests_without_a_key_pass() {
    let cache = prices().build().unwrap();
    let calls = Calls::default();
    let inner = calls.clone();
    let layer = CacheLayer::new(cache.clone()).by(|_: &u32| None::<Box<str>>);
    let service = layer.layer(service_fn(move |_: u32| {
        let n = inner.next() as u32;
        async move { Ok::<_, BoxError>(n) }
    }));
    for n in 1..=3 {
        assert_eq!(service.clone().oneshot(0).await.unwrap(), n);
    }
    assert_eq!((cache.status().misses, cache.status().entries), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn keys_can_be_borrowed_from_requests() {
    let cache = prices().build().unwrap();
    let layer = CacheLayer::new(cache.clone()).by(by::text(|request: &String| Some(request)));
    let service = layer.layer(service_fn(|item: String| async move { Ok::<_, BoxError>(item.len() as u32) }));
    for _ in 0..2 {
        assert_eq!(service.clone().oneshot("apple".to_owned()).await.unwrap(), 5);
    }
    assert_eq!((cache.status().hits, cache.get("apple")), (1, Some(5)));
}

#[tokio::test(start_paused = true)]
async fn errors_are_not_kept() {
    let cache = prices().build().unwrap();
    let service = service(&cache, |n| async move {
        if n == 1 { Err(io::Error::from(io::ErrorKind::ConnectionRefused)) } else { Ok(n as u32) }
    });
    let error = ask(&service, "apple").await.unwrap_err();
    assert!(error.is::<io::Error>(), "as it is, since nobody else has it");
    assert_eq!(ask(&service, "apple").await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn there_are_no_more_than_may_be() {
    let cache = prices().max_entries(10).build().unwrap();
    for key in 0..1000 {
        cache.insert(key.to_string().into(), key);
    }
    let status = cache.status();
    assert!((1..=10).contains(&status.entries), "{status:?}");
    assert_eq!(status.evicted + status.entries, 1000);
}

#[tokio::test(start_paused = true)]
async fn they_weigh_no_more_than_they_may() {
    let cache = prices().max_weight(100, |_, value| u64::from(*value)).max_entries(10).build().unwrap();
    for key in 0..100u32 {
        cache.insert(key.to_string().into(), 1 + key % 60);
    }
    assert!(cache.status().weight.unwrap() <= 100);
    assert!(cache.status().entries <= 10);
    cache.insert("7".into(), 101);
    assert_eq!(cache.get("7"), None, "alone it weighs too much, and what was there is old");
}

/// Also what was there before it was said how much that is.
#[tokio::test(start_paused = true)]
async fn a_largest_weight_that_is_set_later_holds_for_all() {
    let cache = prices().weigher(|_, value| u64::from(*value)).build().unwrap();
    for key in 0..10u32 {
        cache.insert(key.to_string().into(), 30);
    }
    cache.reconfigure(Config { max_weight: Some(100), ..(*cache.config()).clone() }).unwrap();
    assert!(cache.status().entries <= 3, "{:?}", cache.status());
}

#[tokio::test(start_paused = true)]
async fn what_is_thrown_away_is_gone() {
    let cache = prices().build().unwrap();
    let service = slow(&cache, ms(0));
    ask(&service, "apple").await.unwrap();
    ask(&service, "pear").await.unwrap();
    cache.invalidate("apple");
    assert_eq!((cache.get("apple"), cache.get("pear")), (None, Some(2)));
    cache.invalidate_all();
    assert_eq!(cache.get("pear"), None);
    assert_eq!(cache.status().entries, 0);
    assert_eq!(ask(&service, "pear").await.unwrap(), 3);
}

/// A call that began before does not bring back what was thrown away, and who comes after it does not wait for it.
#[tokio::test(start_paused = true)]
async fn a_call_from_before_does_not_bring_it_back() {
    for all in [false, true] {
        let cache = prices().build().unwrap();
        let service = slow(&cache, ms(100));
        let before = tokio::spawn({
            let service = service.clone();
            async move { ask(&service, "apple").await.unwrap() }
        });
        settle().await;
        advance(ms(50)).await;
        if all {
            cache.invalidate_all();
        } else {
            cache.invalidate("apple");
        }
        let after = tokio::spawn(async move { ask(&service, "apple").await.unwrap() });
        assert_eq!(before.await.unwrap(), 1);
        assert_eq!(cache.get("apple"), None);
        assert_eq!(after.await.unwrap(), 2);
        assert_eq!(cache.get("apple"), Some(2));
    }
}

#[tokio::test(start_paused = true)]
async fn new_settings_keep_what_there_is() {
    let cache = prices().max_entries(100).build().unwrap();
    for key in 0..50u32 {
        cache.insert(key.to_string().into(), key);
    }
    let config = |max_entries| Config { max_entries, ttl: ms(10), jitter: 0.0, ..Config::default() };
    cache.reconfigure(config(200)).unwrap();
    assert_eq!(cache.status().entries, 50);
    assert!((0..50).all(|key| cache.get(key.to_string().as_str()) == Some(key)));
    cache.insert("new".into(), 1);
    advance(ms(10)).await;
    assert_eq!((cache.get("new"), cache.get("1")), (None, Some(1)), "each for as long as it was to");
    cache.reconfigure(config(5)).unwrap();
    assert!(cache.status().entries <= 5);
    let before = cache.config();
    assert_eq!(cache.reconfigure(config(0)).unwrap_err().field(), "cache.max_entries");
    assert_eq!(cache.config(), before);
}

#[tokio::test(start_paused = true)]
async fn modes() {
    let cache = prices().mode(Mode::Shadow).build().unwrap();
    let service = slow(&cache, ms(0));
    assert_eq!(ask(&service, "apple").await.unwrap(), 1);
    assert_eq!(ask(&service, "apple").await.unwrap(), 2);
    let status = cache.status();
    assert_eq!((status.shadowed, status.misses, status.hits), (1, 2, 0));

    cache.set_mode(Mode::Enforce).unwrap();
    assert_eq!(ask(&service, "apple").await.unwrap(), 2);

    cache.set_mode(Mode::Disabled).unwrap();
    assert_eq!(ask(&service, "apple").await.unwrap(), 3);
    assert_eq!(cache.get("apple"), Some(2), "nothing is kept, either");
    assert_eq!(cache.status().misses, 2);

    cache.set_mode(Mode::EnforcePercent(50)).unwrap();
    for _ in 0..200 {
        ask(&service, "apple").await.unwrap();
    }
    let hits = cache.status().hits - 1;
    assert!((60..140).contains(&hits), "{hits}");
    assert_eq!(cache.set_mode(Mode::EnforcePercent(101)).unwrap_err().field(), "cache.mode.enforce_percent");
}

/// What says that there is nothing is a failure to the protocol, and kept only if asked for.
#[tokio::test(start_paused = true)]
async fn nothing_is_kept_for_a_time_of_its_own() {
    use portcullis::{Boxed, Failure, FailureKind, Verdict};

    for negative in [None, Some(ms(10))] {
        let config = Config { negative_ttl: negative, ..Config::default() };
        let cache = Cache::<Box<str>, Option<u32>>::builder("x").config(config).registry(&Registry::new());
        let cache = cache.build().unwrap();
        let nothing = |result: Result<&Option<u32>, &BoxError>| match result {
            Ok(None) => Some(Verdict::from(Failure::new(FailureKind::Validation))),
            _ => None,
        };
        let layer = CacheLayer::new(cache.clone()).by(by::text(|item: &&'static str| Some(*item)));
        let layer = layer.protocol(Boxed::default().classify(nothing));
        let service = layer.layer(service_fn(|_: &'static str| async { Ok::<_, BoxError>(None) }));
        for _ in 0..2 {
            assert_eq!(service.clone().oneshot("apple").await.unwrap(), None);
        }
        assert_eq!(cache.status().misses, if negative.is_some() { 1 } else { 2 });
        advance(ms(10)).await;
        assert_eq!(cache.get("apple"), None);
    }
}

/// The layer never waits for the service below.
#[tokio::test(start_paused = true)]
async fn it_is_ready_whatever_is_below() {
    let cache = prices().build().unwrap();
    cache.insert("apple".into(), 7);
    let never = tower::util::BoxCloneService::new(tower::limit::ConcurrencyLimit::new(
        service_fn(|_: &'static str| async { Ok::<u32, BoxError>(1) }),
        0,
    ));
    let layer = CacheLayer::new(cache).by(by::text(|item: &&'static str| Some(*item)));
    let mut service = layer.layer(never);
    poll_fn(|cx| service.poll_ready(cx)).await.unwrap();
    assert_eq!(service.call("apple").await.unwrap(), 7);
    let waits = tokio::time::timeout(ms(100), service.call("pear")).await;
    assert!(waits.is_err());
}
