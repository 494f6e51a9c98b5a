//! A scripted service does what it is told and sees what is done to it.

use std::time::Duration;

use portcullis_testkit::script::{self, Misuse, Step};
use tokio::time::Instant;
use tokio_test::{assert_pending, assert_ready_ok, task};
use tower::{Service, ServiceExt};

type Step32 = Step<u32, &'static str>;

#[tokio::test(start_paused = true)]
async fn steps_are_used_up_in_order_and_then_the_rule() {
    let (service, handle) = script::always(|request: &u32| Step32::ok(*request));
    handle.push(Step::err("first"));
    handle.push(Step::ok(100).after(Duration::from_secs(60)).yields(3));
    let start = Instant::now();
    assert_eq!(service.clone().oneshot(1).await, Err("first"));
    assert_eq!(service.clone().oneshot(2).await, Ok(100));
    assert_eq!(service.clone().oneshot(3).await, Ok(3));
    assert_eq!(start.elapsed(), Duration::from_secs(60));
    assert_eq!(handle.take_requests(), [1, 2, 3]);
    assert_eq!(handle.tally().finished, 3);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_used_up_hangs() {
    let (service, handle) = script::of([Step32::ok(1)]);
    assert_eq!(service.clone().oneshot(()).await, Ok(1));
    assert!(tokio::time::timeout(Duration::from_secs(9), service.oneshot(())).await.is_err());
    assert_eq!((handle.tally().dropped, handle.tally().in_flight), (1, 0));
}

#[tokio::test]
async fn held_calls_are_released_in_order() {
    let (service, handle) = script::always(|request: &u32| Step32::ok(*request).held());
    let mut calls: Vec<_> = (0..3).map(|n| task::spawn(service.clone().oneshot(n))).collect();
    for call in &mut calls {
        assert_pending!(call.poll());
    }
    assert_eq!((handle.tally().in_flight, handle.tally().high_water), (3, 3));
    drop(calls.remove(0));
    assert!(handle.release());
    assert!(calls[0].is_woken() && !calls[1].is_woken());
    assert_eq!(assert_ready_ok!(calls[0].poll()), 1);
    assert_eq!(handle.release_all(), 1);
    assert_eq!(assert_ready_ok!(calls[1].poll()), 2);
    assert!(!handle.release());
    assert_eq!((handle.tally().finished, handle.tally().dropped, handle.tally().in_flight), (2, 1, 0));
}

#[tokio::test]
async fn a_closed_gate_keeps_the_last_waker_only() {
    let (mut service, handle) = script::always(|(): &()| Step32::ok(1));
    handle.close();
    let mut first = task::spawn(());
    let mut last = task::spawn(());
    first.enter(|cx, _| assert_pending!(service.poll_ready(cx)));
    last.enter(|cx, _| assert_pending!(service.poll_ready(cx)));
    handle.open();
    assert!(!first.is_woken() && last.is_woken());
    last.enter(|cx, _| assert_ready_ok!(service.poll_ready(cx)));
    assert_eq!(handle.tally().reserved, 1);
    drop(service);
    assert_eq!(handle.tally().reserved, 0);
}

#[tokio::test]
async fn readiness_can_yield_and_fail() {
    let (mut service, handle) = script::always(|(): &()| Step32::ok(1));
    handle.ready_yields(2);
    assert!(service.ready().await.is_ok());
    assert_eq!(handle.tally().ready_polls, 3);
    handle.fail_readiness(|| "down");
    assert_eq!(service.ready().await.err(), Some("down"));
}

#[tokio::test]
async fn calls_without_readiness_are_answered_and_recorded() {
    let (mut service, handle) = script::always(|(): &()| Step32::ok(1));
    assert_eq!(service.call(()).await, Ok(1));
    assert_eq!(service.ready().await.unwrap().call(()).await, Ok(1));
    assert_eq!(service.clone().call(()).await, Ok(1));
    assert_eq!(service.call(()).await, Ok(1));
    let misuses = handle.tally().misuses;
    assert!(matches!(
        misuses[..],
        [
            Misuse::NeverReady { instance: 1 },
            Misuse::NeverReady { instance: 2 },
            Misuse::NotReadyAgain { instance: 1 }
        ]
    ));
}

#[tokio::test]
async fn a_rule_may_use_the_handle() {
    let (service, handle) = script::always(|(): &()| Step32::hang());
    let inner = handle.clone();
    handle.otherwise(move |()| {
        inner.push(Step::ok(2));
        Step::ok(inner.tally().calls as u32)
    });
    assert_eq!(service.clone().oneshot(()).await, Ok(1));
    assert_eq!(service.oneshot(()).await, Ok(2));
}
