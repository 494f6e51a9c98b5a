//! Who shares what.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use futures_util::future::join_all;
use portcullis::{BoxError, CoalesceLayer};
use portcullis_testkit::script::Step;
use tokio_test::{assert_pending, assert_ready_ok};
use tower::{Layer, ServiceBuilder, ServiceExt, limit::ConcurrencyLimitLayer, service_fn};

use super::support::{begun, by_tens, coalesce, dependency, ms};

#[tokio::test(start_paused = true)]
async fn fifty_calls_of_a_key_are_one() {
    let coalesce = coalesce().build().unwrap();
    let (inner, handle) = dependency([Step::ok(7).after(ms(10))]);
    let service = by_tens(&coalesce, inner);
    let answers = join_all((0..50).map(|_| service.clone().oneshot(1))).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap() == 7));
    assert_eq!(handle.tally().calls, 1);
    let status = coalesce.status();
    assert_eq!((status.led, status.shared, status.keys, status.waiting), (1, 49, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn other_keys_and_later_calls_are_calls_of_their_own() {
    let coalesce = coalesce().build().unwrap();
    let (inner, handle) = dependency([]);
    handle.otherwise(|n| Step::ok(*n).after(ms(10)));
    let service = by_tens(&coalesce, inner);
    let (one, other) = tokio::join!(service.clone().oneshot(1), service.clone().oneshot(11));
    assert_eq!((one.unwrap(), other.unwrap()), (1, 11));
    assert_eq!(service.oneshot(2).await.unwrap(), 2);
    assert_eq!((handle.tally().calls, coalesce.status().led), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn what_has_no_key_goes_by_itself() {
    let coalesce = coalesce().build().unwrap();
    let (inner, handle) = dependency([]);
    handle.otherwise(|n| Step::ok(*n).after(ms(10)));
    let none = CoalesceLayer::new(coalesce.clone()).layer(inner.clone());
    let (one, another) = tokio::join!(none.clone().oneshot(1), none.oneshot(1));
    assert_eq!((one.unwrap(), another.unwrap()), (1, 1));
    let even = CoalesceLayer::new(coalesce.clone()).by(|n: &u32| (n % 2 == 0).then_some(())).layer(inner);
    tokio::join!(even.clone().oneshot(1), even.oneshot(3)).0.unwrap();
    assert_eq!((handle.tally().calls, coalesce.status().keyless), (4, 4));
}

/// State is the policy's: axum layers a service again for every connection.
#[tokio::test(start_paused = true)]
async fn services_that_are_layered_again_share_their_calls() {
    let coalesce = coalesce().build().unwrap();
    let (inner, handle) = dependency([Step::ok(7).after(ms(10))]);
    let (one, another) = (by_tens(&coalesce, inner.clone()), by_tens(&coalesce, inner));
    let (one, another) = tokio::join!(one.oneshot(1), another.oneshot(2));
    assert_eq!((one.unwrap(), another.unwrap(), handle.tally().calls), (7, 7, 1));
}

/// The permit of a limit below is the leader's alone.
#[tokio::test(start_paused = true)]
async fn who_waits_needs_nothing_of_the_inner_service() {
    let coalesce = coalesce().build().unwrap();
    let (inner, handle) = dependency([Step::ok(7).after(ms(10))]);
    let inner = ServiceBuilder::new().layer(ConcurrencyLimitLayer::new(1)).service(inner);
    let service = by_tens(&coalesce, inner);
    let answers = join_all((0..9).map(|_| service.clone().oneshot(1)));
    let answers = tokio::time::timeout(ms(11), answers).await.unwrap();
    assert!(answers.into_iter().all(|answer| answer.unwrap() == 7));
    assert_eq!(handle.tally().calls, 1);
}

/// A call that waits gives back what the inner service reserved for it.
#[tokio::test(start_paused = true)]
async fn who_waits_holds_no_permit() {
    let coalesce = coalesce().build().unwrap();
    let (inner, handle) = dependency([]);
    let inner = ServiceBuilder::new().layer(ConcurrencyLimitLayer::new(2)).service(inner);
    let mut service = by_tens(&coalesce, inner.clone());
    let _leader = begun(&service, 1);
    service.ready().await.unwrap();
    let _waiter = tower::Service::call(&mut service, 2);
    let mut other = inner;
    tokio::time::timeout(ms(1), other.ready()).await.unwrap().unwrap();
    assert_eq!(handle.tally().calls, 1);
}

/// T04: waiting by waking oneself cost 3 million polls a second.
#[tokio::test(start_paused = true)]
async fn who_waits_is_polled_twice() {
    let coalesce = coalesce().build().unwrap();
    let (inner, _handle) = dependency([Step::ok(7).after(ms(1000))]);
    let service = by_tens(&coalesce, inner);
    let polls = Arc::new(AtomicUsize::new(0));
    let leader = tokio::spawn(service.clone().oneshot(1));
    tokio::task::yield_now().await;
    let mut waiter = Box::pin(service.oneshot(2));
    let counted = polls.clone();
    let waiter = std::future::poll_fn(move |cx| {
        counted.fetch_add(1, Relaxed);
        waiter.as_mut().poll(cx)
    });
    assert_eq!(waiter.await.unwrap(), 7);
    leader.await.unwrap().unwrap();
    assert_eq!(polls.load(Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn over_the_bounds_calls_go_by_themselves() {
    let coalesce = coalesce().max_keys(1).max_waiting(1).build().unwrap();
    let (inner, handle) = dependency([]);
    let service = by_tens(&coalesce, inner);
    let _calls = [1, 2, 3, 11].map(|n| begun(&service, n));
    assert_eq!((handle.tally().calls, coalesce.status().full, coalesce.status().waiting), (3, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn each_waits_for_as_long_as_it_wants() {
    let coalesce = coalesce().build().unwrap();
    let (inner, handle) = dependency([Step::ok(7).held()]);
    let service = by_tens(&coalesce, inner);
    let mut leader = begun(&service, 1);
    tokio::time::timeout(ms(10), service.clone().oneshot(2)).await.unwrap_err();
    assert_eq!((coalesce.status().waiting, handle.tally().calls), (0, 1));
    assert_pending!(leader.poll());
    handle.release();
    assert_eq!(assert_ready_ok!(leader.poll()), 7);
}

/// An answer that is moved is not cloned when nobody else wants it.
#[tokio::test]
async fn who_is_alone_gets_the_answer_itself() {
    #[derive(Debug)]
    struct Counted(Arc<AtomicUsize>);

    impl Clone for Counted {
        fn clone(&self) -> Self {
            self.0.fetch_add(1, Relaxed);
            Self(self.0.clone())
        }
    }

    let layer = CoalesceLayer::new(coalesce().build().unwrap()).by(|(): &()| Some(()));
    let answer = Counted(Arc::default());
    let clones = answer.0.clone();
    let answer = Arc::new(std::sync::Mutex::new(Some(answer)));
    let service = layer.layer(service_fn(move |()| {
        let answer = answer.lock().unwrap().take().unwrap();
        async { Ok::<_, BoxError>(answer) }
    }));
    service.oneshot(()).await.unwrap();
    assert_eq!(clones.load(Relaxed), 0);
}
