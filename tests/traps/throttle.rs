//! T41: throttles that learn too late, remember too long, or learn the wrong thing.

use std::time::Duration;

use portcullis::{
    BoxError, Boxed, Failure, FailureKind, PolicyKind, RetryLayer, RetryPolicy, Throttle, ThrottleLayer,
    Ticket, Timeout, TimeoutLayer, Verdict, retry::Backoff,
};
use tokio::time::{Instant, sleep};
use tower::{ServiceBuilder, ServiceExt};

use crate::common::{Dependency, failing, hanging, healthy, ms, refused, rejection, secs};

fn throttle() -> Throttle {
    Throttle::builder("t41").seed(1).build().unwrap()
}

/// The dependency refuses for its load.
fn overloaded() -> Boxed<impl Fn(Result<&u32, &BoxError>) -> Option<Verdict> + Clone> {
    Boxed::default().classify(|result: Result<&u32, &BoxError>| {
        result.err().map(|_| Verdict::from(Failure::new(FailureKind::ResourceExhausted)))
    })
}

/// Calls one after the other, so many in a second; how many of them were held back.
async fn calls(throttle: &Throttle, dependency: &Dependency, calls: u32) -> u32 {
    let layer = ThrottleLayer::new(throttle.clone()).protocol(overloaded());
    let service = ServiceBuilder::new().layer(layer).service(dependency.clone());
    let mut held_back = 0;
    for n in 0..calls {
        let result = service.clone().oneshot(n).await;
        held_back += u32::from(refused(&result));
        sleep(ms(10)).await;
    }
    held_back
}

/// Counted as they end, calls that hang for 30 s are seen after 30 s, and 3000 of them.
#[tokio::test(start_paused = true)]
async fn t41_calls_that_hang_are_seen_long_before_they_time_out() {
    let throttle = throttle();
    let (inner, dependency) = hanging();
    let service = ServiceBuilder::new()
        .layer(ThrottleLayer::new(throttle.clone()))
        .layer(TimeoutLayer::new(Timeout::total("t41", secs(30)).unwrap()))
        .service(inner);
    let start = Instant::now();
    let mut first = None;
    for n in 0..2000 {
        let call = tokio::spawn(service.clone().oneshot(n));
        sleep(ms(10)).await;
        if call.is_finished() && first.is_none() {
            let rejection = rejection(call.await.unwrap());
            assert_eq!(rejection.kind(), PolicyKind::Throttle);
            first = Some(start.elapsed());
        }
    }
    let first = first.unwrap();
    assert!(first <= Duration::from_millis(4_100), "{first:?}");
    assert_eq!(throttle.status().refused_total, 0, "none has ended yet");
    let sent = dependency.tally().calls;
    assert!(sent < 700, "{sent} of 2000 went into the dark");
}

/// A burst in flight is not an outage, or a client that has just started would be held back.
#[tokio::test(start_paused = true)]
async fn t41_a_burst_in_flight_is_no_outage() {
    let throttle = throttle();
    let tickets: Vec<_> = (0..1000).map(|_| throttle.try_admit()).collect();
    sleep(ms(500)).await;
    for ticket in tickets {
        ticket.unwrap().settle(Verdict::Success);
    }
    sleep(secs(10)).await;
    assert_eq!((throttle.status().accepted, throttle.status().rejected), (1000, 0));
}

/// Its window is looked at only when something ends, and nothing has.
#[tokio::test(start_paused = true)]
async fn t41_a_throttle_that_has_gone_quiet_forgets_yesterdays_rate() {
    let throttle = throttle();
    let (down, up) = (failing().0, healthy().0);
    assert!(calls(&throttle, &down, 1000).await > 800);
    sleep(secs(121)).await;
    assert_eq!(calls(&throttle, &up, 100).await, 0);
}

/// What is held back for ever tells nobody that the dependency is back.
#[tokio::test(start_paused = true)]
async fn t41_one_in_ten_goes_on_to_ask() {
    let throttle = throttle();
    let (down, up) = (failing().0, healthy().0);
    calls(&throttle, &down, 20_000).await;
    let held_back = calls(&throttle, &down, 2_000).await;
    assert!((1_700..1_900).contains(&held_back), "{held_back} of 2000");
    calls(&throttle, &up, 26_400).await;
    assert_eq!(calls(&throttle, &up, 100).await, 0, "all goes through after two windows and a bit");
}

/// A single failure is half of the formula.
#[tokio::test(start_paused = true)]
async fn t41_a_few_failures_are_no_rate() {
    let throttle = throttle();
    assert_eq!(calls(&throttle, &failing().0, 10).await, 0);
}

/// Each attempt of a call that was held back would be a request more, and raise the rate.
#[tokio::test(start_paused = true)]
async fn t41_who_is_held_back_is_not_retried() {
    let throttle = throttle();
    calls(&throttle, &failing().0, 500).await;
    let before = throttle.status();
    let retries = RetryPolicy::builder("t41").max_attempts(5).backoff(Backoff::NONE).build().unwrap();
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(retries.clone()).idempotent())
        .layer(ThrottleLayer::new(throttle.clone()))
        .service(healthy().0);
    for n in 0..100 {
        let _ = service.clone().oneshot(n).await;
    }
    assert_eq!((throttle.status().requests - before.requests, retries.status().retries), (100, 0));
}
