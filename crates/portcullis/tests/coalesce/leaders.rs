//! Leaders that go before their call has ended.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use portcullis::BoxError;
use portcullis_testkit::script::Step;
use tokio_test::{assert_pending, assert_ready, assert_ready_ok};
use tower::{ServiceExt, service_fn};

use super::support::{begun, by_tens, coalesce, dependency, ms};

#[tokio::test(start_paused = true)]
async fn the_oldest_leads_with_its_own_request() {
    let coalesce = coalesce().build().unwrap();
    let (inner, handle) = dependency([]);
    let service = by_tens(&coalesce, inner);
    let leader = begun(&service, 1);
    let (mut first, mut second) = (begun(&service, 2), begun(&service, 3));
    handle.push(Step::ok(7));
    drop(leader);
    assert!(first.is_woken() && !second.is_woken());
    assert_eq!(assert_ready_ok!(first.poll()), 7);
    assert!(second.is_woken());
    assert_eq!(assert_ready_ok!(second.poll()), 7);
    assert_eq!(handle.take_requests(), [1, 2]);
    let status = coalesce.status();
    assert_eq!((status.led, status.promoted, status.shared, status.keys), (1, 1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn when_all_go_nothing_is_left() {
    let coalesce = coalesce().build().unwrap();
    let (inner, handle) = dependency([]);
    let service = by_tens(&coalesce, inner);
    let calls = [1, 2, 3].map(|n| begun(&service, n));
    drop(calls);
    let status = coalesce.status();
    assert_eq!((status.keys, status.waiting), (0, 0));
    assert_eq!(handle.tally().calls, 1);
}

#[tokio::test(start_paused = true)]
async fn a_waiter_that_goes_changes_nothing() {
    let coalesce = coalesce().build().unwrap();
    let (inner, handle) = dependency([Step::ok(7).held()]);
    let service = by_tens(&coalesce, inner);
    let (mut leader, waiter, mut other) = (begun(&service, 1), begun(&service, 2), begun(&service, 3));
    drop(waiter);
    assert_pending!(other.poll());
    handle.release();
    assert_eq!(assert_ready_ok!(leader.poll()), 7);
    assert_eq!(assert_ready_ok!(other.poll()), 7);
}

/// The panic is the leader's own; the others have their answer.
#[tokio::test(start_paused = true)]
async fn a_leader_that_panics_lets_the_next_lead() {
    let coalesce = coalesce().build().unwrap();
    let service = by_tens(
        &coalesce,
        service_fn(|n: u32| async move {
            tokio::time::sleep(ms(10)).await;
            assert!(n > 1, "boom");
            Ok::<_, BoxError>(n)
        }),
    );
    let leader = AssertUnwindSafe(service.clone().oneshot(1)).catch_unwind();
    let (leader, first, second) =
        tokio::join!(leader, service.clone().oneshot(2), service.clone().oneshot(3));
    assert_eq!(*leader.unwrap_err().downcast::<&str>().unwrap(), "boom");
    assert_eq!((first.unwrap(), second.unwrap()), (2, 2));
    assert_eq!((coalesce.status().promoted, coalesce.status().keys), (1, 0));
}

/// Also one whose future is kept after its panic.
#[tokio::test]
async fn a_panic_is_the_end_of_a_lead() {
    let coalesce = coalesce().build().unwrap();
    let service = by_tens(
        &coalesce,
        service_fn(|n: u32| async move {
            tokio::task::yield_now().await;
            assert!(n > 1, "boom");
            Ok::<_, BoxError>(n)
        }),
    );
    let (mut leader, mut waiter) = (begun(&service, 1), begun(&service, 2));
    std::panic::catch_unwind(AssertUnwindSafe(|| leader.poll())).unwrap_err();
    assert_pending!(waiter.poll());
    assert_eq!(assert_ready!(waiter.poll()).unwrap(), 2);
    drop(leader);
}
