//! What calls meet.

use std::time::Duration;

use futures_util::FutureExt as _;
use portcullis::{
    BoxError, Breaker, BreakerLayer, ChaosLayer, FailureKind, FromRejection, Registry, Rejection, RetryLayer,
    RetryPolicy, Timeout, TimeoutLayer, Verdict,
    breaker::State,
    chaos::{Latency, Schedule},
};
use tokio::time::Instant;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

use super::support::{chaos, ms, well};

#[tokio::test]
async fn nothing_is_met_while_it_is_off() {
    let chaos = chaos().error(1.0, FailureKind::Internal).enabled(false).build().unwrap();
    let (inner, _) = well();
    let service = ChaosLayer::new(chaos.clone()).layer(inner);
    assert_eq!(service.clone().oneshot(7).await.unwrap(), 7);
    chaos.set_enabled(true);
    service.clone().oneshot(7).await.unwrap_err();
    chaos.set_enabled(false);
    assert_eq!(service.oneshot(7).await.unwrap(), 7);
    assert_eq!((chaos.status().total(), chaos.status().met("error")), (1, 1));
}

/// The dependency is not called, and the error is judged as the failure that was asked for.
#[tokio::test]
async fn an_error_is_a_failure_of_its_kind() {
    let chaos = chaos().error(1.0, FailureKind::Unavailable).build().unwrap();
    let (inner, handle) = well();
    let error = ChaosLayer::new(chaos).layer(inner).oneshot(7).await.unwrap_err();
    let Verdict::Failure(failure) = error.verdict() else { panic!("{error}") };
    assert_eq!((failure.kind, handle.tally().calls), (FailureKind::Unavailable, 0));
}

#[tokio::test]
async fn a_breaker_above_opens_by_it() {
    let chaos = chaos().error(1.0, FailureKind::Internal).build().unwrap();
    let breaker = Breaker::builder("b").consecutive_failures(3).registry(&Registry::new()).build().unwrap();
    let service = ServiceBuilder::new()
        .layer(BreakerLayer::new(breaker.clone()))
        .layer(ChaosLayer::new(chaos))
        .service(well().0);
    for n in 0..3 {
        service.clone().oneshot(n).await.unwrap_err();
    }
    assert_eq!(breaker.status().state, State::Open);
}

/// A connection that was refused is a request that was never sent, so that every call may be made again.
#[tokio::test(start_paused = true)]
async fn a_retry_above_makes_calls_again() {
    let chaos = chaos().error(0.5, FailureKind::Connection).build().unwrap();
    let policy = RetryPolicy::builder("r").max_attempts(50).budget_of(1.0, 1000).registry(&Registry::new());
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(policy.build().unwrap()))
        .layer(ChaosLayer::new(chaos.clone()))
        .service(well().0);
    for n in 0..50 {
        assert_eq!(service.clone().oneshot(n).await.unwrap(), n);
    }
    assert!(chaos.status().met("error") > 20);
}

#[tokio::test(start_paused = true)]
async fn answers_come_later_and_a_timeout_above_ends_them() {
    let chaos = chaos().latency(1.0, Latency::Fixed(ms(300))).build().unwrap();
    let layer = ChaosLayer::new(chaos);
    let start = Instant::now();
    assert_eq!(layer.layer(well().0).oneshot(7).await.unwrap(), 7);
    assert_eq!(start.elapsed(), ms(300));
    let timeout = Timeout::builder("t", ms(100)).registry(&Registry::new()).build().unwrap();
    let service = ServiceBuilder::new().layer(TimeoutLayer::new(timeout)).layer(layer).service(well().0);
    assert!(Rejection::find(&*service.oneshot(7).await.unwrap_err()).is_some());
    assert_eq!(start.elapsed(), ms(400));
}

#[tokio::test(start_paused = true)]
async fn a_failure_can_come_late_too() {
    let chaos = chaos().latency(1.0, Latency::Fixed(ms(50))).error(1.0, FailureKind::Timeout).build();
    let start = Instant::now();
    ChaosLayer::new(chaos.unwrap()).layer(well().0).oneshot(7).await.unwrap_err();
    assert_eq!(start.elapsed(), ms(50));
}

#[tokio::test(start_paused = true)]
async fn a_hanging_call_can_be_given_up() {
    let chaos = chaos().hang(1.0).build().unwrap();
    let (inner, handle) = well();
    let call =
        tokio::time::timeout(Duration::from_secs(3600), ChaosLayer::new(chaos).layer(inner).oneshot(7));
    call.await.unwrap_err();
    assert_eq!(handle.tally().calls, 0);
}

#[tokio::test]
async fn a_panic_is_one() {
    let chaos = chaos().panic(1.0).build().unwrap();
    let call = ChaosLayer::new(chaos).layer(well().0).oneshot(7);
    let panic = std::panic::AssertUnwindSafe(call).catch_unwind().await.unwrap_err();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "chaos 'chaos' made it panic");
}

#[tokio::test]
async fn a_response_is_the_one_that_was_given() {
    let chaos = chaos().response(1.0).build().unwrap();
    let given = ChaosLayer::new(chaos.clone()).responding(|n: &u32| n + 100).layer(well().0);
    assert_eq!(given.oneshot(7).await.unwrap(), 107);
    let none = ChaosLayer::new(chaos).layer(well().0).oneshot(7).await.unwrap_err();
    assert_eq!(none.to_string(), "chaos 'chaos' made it fail: internal");
}

#[tokio::test(start_paused = true)]
async fn a_schedule_comes_and_goes_and_begins_anew_with_new_settings() {
    let chaos = chaos().error(1.0, FailureKind::Internal).schedule(ms(1000), ms(10_000)).build().unwrap();
    let service = ChaosLayer::new(chaos.clone()).layer(well().0);
    let mut failed = Vec::new();
    for _ in 0..25 {
        failed.push(service.clone().oneshot(7).await.is_err());
        tokio::time::advance(ms(500)).await;
    }
    let at: Vec<_> = failed.iter().enumerate().filter(|(_, failed)| **failed).map(|(at, _)| at).collect();
    assert_eq!(at, [0, 1, 20, 21]);
    let schedule = Some(Schedule { active: ms(1), every: ms(2) });
    chaos.reconfigure(portcullis::chaos::Config { schedule, ..chaos.config() }).unwrap();
    service.oneshot(7).await.unwrap_err();
}

#[tokio::test]
async fn with_a_seed_a_run_can_be_repeated() {
    let run = async || {
        let chaos = chaos().error(0.3, FailureKind::Internal).build().unwrap();
        let service = ChaosLayer::new(chaos).layer(well().0);
        let mut failed = Vec::new();
        for n in 0..200 {
            failed.push(service.clone().oneshot(n).await.is_err());
        }
        failed
    };
    let first = run().await;
    assert_eq!(first, run().await);
    let share = first.iter().filter(|failed| **failed).count();
    assert!((40..80).contains(&share), "{share} of 200");
}

#[tokio::test]
async fn by_hand() {
    let chaos = chaos().error(1.0, FailureKind::DataLoss).build().unwrap();
    let read: Result<u32, BoxError> = chaos.call(|| async { Ok(7) }).await;
    read.unwrap_err();
    chaos.set_enabled(false);
    assert_eq!(chaos.call(|| async { Ok::<_, BoxError>(7) }).await.unwrap(), 7);
}

/// What the inner service reserved for a call that it never got is given back.
#[tokio::test(start_paused = true)]
async fn a_call_that_is_not_made_leaves_room_for_another() {
    let chaos = chaos().hang(1.0).build().unwrap();
    let limited =
        tower::limit::ConcurrencyLimit::new(service_fn(|n: u32| async move { Ok::<_, BoxError>(n) }), 1);
    let hangs = tokio::spawn(ChaosLayer::new(chaos).layer(limited.clone()).oneshot(7));
    tokio::task::yield_now().await;
    assert_eq!(limited.oneshot(8).await.unwrap(), 8);
    hangs.abort();
}
