//! Calls, one by one.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::{Context, Waker},
};

use portcullis::{BoxError, KeyedBulkheadLayer, Reason, Rejection, keyed::by};
use tower::{Layer, ServiceExt, service_fn};

use super::support::{SECOND, rejection, settle, take, tenants, wait};

#[test]
fn a_key_has_a_limit_of_its_own_within_that_of_all() {
    let tenants = tenants(6).per_key(3).build().unwrap();
    let a = take(&tenants, "a", 4);
    assert_eq!(a.len(), 3);
    let refused = tenants.try_admit("a").unwrap_err();
    assert_eq!(&**refused.policy(), "tenants/a");
    assert_eq!(refused.reason(), Reason::KeyFull { limit: 3, in_flight: 3, overall: 3, queued: 0 });

    let others = [take(&tenants, "b", 3), take(&tenants, "c", 1)];
    assert_eq!((others[0].len(), tenants.status().in_flight), (2, 6), "b left one for c, and all are in use");
    assert_eq!(tenants.try_admit("d").unwrap_err().reason(), Reason::BulkheadFull { limit: 6, queued: 0 });
    drop((a, others));
    assert_eq!((tenants.status().in_flight, tenants.status().holding), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn without_tower_a_call_waits_and_is_made() {
    let tenants = tenants(1).queue(1, SECOND).build().unwrap();
    let running = tenants.try_admit("a").unwrap();
    let call = tokio::spawn({
        let tenants = tenants.clone();
        async move { tenants.call("a", || async { Ok::<_, BoxError>(42) }).await }
    });
    settle().await;
    assert_eq!(tenants.status().queued, 1);
    drop(running);
    assert_eq!(call.await.unwrap().unwrap(), 42);
    assert_eq!(tenants.status().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn who_waits_too_long_is_told_whose_doing_it_is() {
    let tenants = tenants(2).queue(9, SECOND).build().unwrap();
    let running = take(&tenants, "a", 2);
    let waiting = [wait(&tenants, "a").await, wait(&tenants, "b").await];
    let [a, b] = waiting.map(|call| async { call.await.unwrap().unwrap_err().reason() });
    let (a, b) = (a.await, b.await);
    assert!(matches!(a, Reason::KeyFull { limit: 1, in_flight: 2, .. }), "{a}");
    assert_eq!(b, Reason::QueueTimeout { limit: 2, max_wait: SECOND });
    assert_eq!((tenants.status().key_full, tenants.status().timed_out), (1, 1));
    assert_eq!(tenants.status().queued, 0);
    drop(running);
}

#[tokio::test(start_paused = true)]
async fn requests_weigh_what_the_layer_says_and_need_no_key() {
    let tenants = tenants(20).per_key(6).build().unwrap();
    let key = by::text(|(tenant, _): &(Option<String>, u32)| tenant.as_ref());
    let layer = KeyedBulkheadLayer::new(tenants.clone(), key).weigh(|request: &(_, u32)| request.1);
    let hang = async |_| std::future::pending::<Result<(), BoxError>>().await;
    let service = layer.layer(service_fn(hang));
    let call = |tenant: Option<&str>, weight| service.clone().oneshot((tenant.map(str::to_owned), weight));

    let running = [call(Some("a"), 5), call(None, 3)].map(tokio::spawn);
    settle().await;
    assert_eq!((tenants.get("a").unwrap().in_flight, tenants.keyless().in_flight), (5, 3));
    let refused = rejection(call(None, 4).await);
    assert_eq!(&**refused.policy(), "tenants/(none)");
    assert!(matches!(refused.reason(), Reason::KeyFull { limit: 6, in_flight: 3, .. }), "{refused}");
    let others = tenants.try_admit_weighted("b", 6).unwrap();
    let more = tenants.try_admit_weighted("c", 5).unwrap();
    let refused = rejection(call(Some("d"), 3).await);
    assert_eq!(refused.reason(), Reason::BulkheadShort { limit: 20, free: 1, queued: 0, weight: 3 });
    drop((others, more));

    running.iter().for_each(tokio::task::JoinHandle::abort);
    settle().await;
    let all = tokio::spawn(call(Some("a"), 99));
    settle().await;
    assert_eq!(tenants.status().in_flight, 6, "all that one key may hold");
    all.abort();
}

#[tokio::test(start_paused = true)]
async fn a_panic_gives_the_permit_back() {
    let tenants = tenants(1).build().unwrap();
    let key = by::text(|tenant: &&str| Some(*tenant));
    let panics = service_fn(async |_: &str| -> Result<(), BoxError> { panic!("on purpose") });
    let service = KeyedBulkheadLayer::new(tenants.clone(), key).layer(panics);
    assert!(tokio::spawn(service.oneshot("a")).await.unwrap_err().is_panic());
    assert_eq!(tenants.status().in_flight, 0);
}

#[test]
fn a_wait_that_cannot_be_timed_leaves_the_queue() {
    let tenants = tenants(1).queue(1, SECOND).build().unwrap();
    let running = tenants.try_admit("a").unwrap();
    // Outside a runtime there are no timers, and tokio says so by a panic.
    let waiting = catch_unwind(AssertUnwindSafe(|| {
        let _ = pin!(tenants.admit("a")).poll(&mut Context::from_waker(Waker::noop()));
    }));
    assert!(waiting.is_err());
    assert_eq!(tenants.status().queued, 0, "its place is free");
    drop(running);
    assert_eq!(tenants.status().in_flight, 0, "nobody holds the permit");
}

/// A service that cannot say how it would be refused does not compile; what it says is what it gets.
#[tokio::test(start_paused = true)]
async fn a_service_with_errors_of_its_own_gets_one() {
    #[derive(Debug)]
    struct Refused(Rejection);

    impl portcullis::FromRejection for Refused {
        fn from_rejection(rejection: Rejection) -> Self {
            Self(rejection)
        }

        fn as_rejection(&self) -> Option<&Rejection> {
            Some(&self.0)
        }
    }

    impl std::fmt::Display for Refused {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.fmt(f)
        }
    }

    impl std::error::Error for Refused {}

    let tenants = tenants(1).build().unwrap();
    let _running = tenants.try_admit("a").unwrap();
    let inner = service_fn(async |_: &str| Ok::<(), Refused>(()));
    let layer = KeyedBulkheadLayer::new(tenants, by::text(|tenant: &&str| Some(*tenant))).typed();
    let Refused(rejection) = layer.layer(inner).oneshot("b").await.unwrap_err();
    assert_eq!(&**rejection.policy(), "tenants/b");
}
