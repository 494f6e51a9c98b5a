//! A limit that follows how long calls take.

use portcullis::{
    BoxError, Timeout, TimeoutLayer,
    timeout::{Adaptive, Config},
};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{limit_of, ms, takes, timeout};

/// At most 2 s; twice what 99 of 100 took, once 20 were seen.
fn follows() -> Timeout {
    timeout(Config { adaptive: Some(Adaptive { min_calls: 20, ..Adaptive::default() }), ..ms(2000).into() })
}

/// So many calls that take so long each; how many were late.
async fn calls(timeout: &Timeout, calls: u32, millis: u64) -> u32 {
    let service = TimeoutLayer::new(timeout.clone()).layer(takes());
    let mut late = 0;
    for _ in 0..calls {
        late += u32::from(service.clone().oneshot(millis).await.is_err());
        tokio::time::sleep(ms(20)).await;
    }
    late
}

fn is_about(timeout: &Timeout, millis: f64) -> bool {
    let limit = timeout.status().limit.as_secs_f64() * 1000.0;
    (limit / millis - 1.0).abs() < 0.04
}

#[tokio::test(start_paused = true)]
async fn a_dependency_that_gets_twice_as_slow_is_followed() {
    let timeout = follows();
    assert_eq!(timeout.status().limit, ms(2000));
    assert_eq!(calls(&timeout, 300, 50).await, 0);
    assert!(is_about(&timeout, 100.0), "{:?}", timeout.status());
    // More than twice: at first all are late, then the limit has followed.
    let late = calls(&timeout, 600, 120).await;
    assert!((1..30).contains(&late), "{late}");
    assert_eq!(calls(&timeout, 600, 120).await, 0);
    assert!(is_about(&timeout, 240.0), "{:?}", timeout.status());
    assert_eq!(timeout.limit(), ms(2000), "the longest");
}

/// A hundred that hang do not lock the limit in: it goes up as far as it may, and comes back.
#[tokio::test(start_paused = true)]
async fn a_dependency_that_hangs_is_waited_for_as_long_as_allowed() {
    let timeout = follows();
    calls(&timeout, 300, 50).await;
    calls(&timeout, 100, 100_000).await;
    assert_eq!(timeout.status().limit, ms(2000));
    calls(&timeout, 2000, 50).await;
    assert!(is_about(&timeout, 100.0), "{:?}", timeout.status());
}

#[tokio::test(start_paused = true)]
async fn the_call_that_is_late_says_by_which_limit() {
    let timeout = follows();
    calls(&timeout, 300, 50).await;
    let end = TimeoutLayer::new(timeout.clone()).layer(takes()).oneshot(1000).await;
    assert_eq!(limit_of(end), Some(timeout.status().limit));
}

/// What fails at once, or is given up by its caller, says nothing.
#[tokio::test(start_paused = true)]
async fn failures_and_dropped_calls_say_nothing() {
    let timeout = follows();
    let fails = service_fn(|_: u64| async { Err::<u64, BoxError>("broken".into()) });
    let fails = TimeoutLayer::new(timeout.clone()).layer(fails);
    let hangs = TimeoutLayer::new(timeout.clone()).layer(takes());
    for _ in 0..100 {
        fails.clone().oneshot(1).await.unwrap_err();
        tokio::time::timeout(ms(5), hangs.clone().oneshot(1000)).await.unwrap_err();
    }
    assert_eq!(timeout.status().limit, ms(2000));
}

#[tokio::test(start_paused = true)]
async fn without_tower_it_follows_too_and_changes_keep_what_was_seen() {
    let timeout = follows();
    for _ in 0..100 {
        let call = || async {
            tokio::time::sleep(ms(50)).await;
            Ok::<_, portcullis::Rejection>(())
        };
        timeout.call(call).await.unwrap();
    }
    assert!(is_about(&timeout, 100.0), "{:?}", timeout.status());
    let adaptive = Some(Adaptive { factor: 4.0, min_calls: 20, ..Adaptive::default() });
    timeout.reconfigure(Config { adaptive, ..(*timeout.config()).clone() }).unwrap();
    assert!(is_about(&timeout, 200.0), "{:?}", timeout.status());
}
