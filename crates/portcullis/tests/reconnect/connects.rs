//! When it connects, and who is served by it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::FutureExt;
use portcullis::reconnect::ConnectError;
use portcullis::{
    BoxError, Delivery, FailureKind, FromRejection, Registry, RetryLayer, RetryPolicy, Verdict,
};
use tower::{ServiceBuilder, ServiceExt};

use super::support::{Dependency, ms, reconnect};

/// Eight clones wait for one attempt, and whoever polls it last is the only one to be woken.
#[tokio::test(start_paused = true)]
async fn t03_all_who_wait_for_a_connection_are_served_by_it() {
    let dependency = Dependency::shut();
    let service = reconnect().build().unwrap().service(dependency.connector(), 80);
    let calls: Vec<_> = (0..8).map(|n| tokio::spawn(service.clone().oneshot(n))).collect();
    tokio::time::sleep(ms(1)).await;
    assert_eq!(dependency.attempts(), 1);
    dependency.let_in(1);
    for (n, call) in (0..).zip(calls) {
        let served = tokio::time::timeout(ms(100), call).await.expect("nobody hangs");
        assert_eq!(served.unwrap().unwrap(), n + 80);
    }
    assert_eq!(dependency.attempts(), 1);
}

/// The one who began to connect gives up: the attempt goes on for the others.
#[tokio::test(start_paused = true)]
async fn who_gives_up_takes_nobody_along() {
    let dependency = Dependency::shut();
    let service = reconnect().build().unwrap().service(dependency.connector(), 80);
    let leader = tokio::spawn(service.clone().oneshot(0));
    tokio::time::sleep(ms(1)).await;
    let others: Vec<_> = (1..4).map(|n| tokio::spawn(service.clone().oneshot(n))).collect();
    tokio::time::sleep(ms(1)).await;
    leader.abort();
    tokio::time::sleep(ms(1)).await;
    dependency.let_in(1);
    for (n, call) in (1..).zip(others) {
        assert_eq!(call.await.unwrap().unwrap(), n + 80);
    }
    assert_eq!(dependency.attempts(), 1);
}

/// The one who began to connect is not polled any more, and not dropped either.
#[tokio::test(start_paused = true)]
async fn t03_who_is_kept_unpolled_holds_up_nobody() {
    let dependency = Dependency::shut();
    let service = reconnect().build().unwrap().service(dependency.connector(), 80);
    let mut kept = service.clone();
    assert!(kept.ready().now_or_never().is_none());
    let others: Vec<_> = (1..4).map(|n| tokio::spawn(service.clone().oneshot(n))).collect();
    tokio::time::sleep(ms(1)).await;
    dependency.let_in(1);
    for (n, call) in (1..).zip(others) {
        let served = tokio::time::timeout(ms(100), call).await.expect("nobody hangs");
        assert_eq!(served.unwrap().unwrap(), n + 80);
    }
    assert_eq!(kept.ready().await.unwrap().call_now(0).await, 80);
    assert_eq!(dependency.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_nobody_waits_for_is_dropped() {
    let dependency = Dependency::shut();
    let service = reconnect().connect_timeout(ms(200)).build().unwrap().service(dependency.connector(), 80);
    let call = tokio::spawn(service.clone().oneshot(0));
    tokio::time::sleep(ms(1)).await;
    call.abort();
    tokio::time::sleep(ms(500)).await;
    // Its time would be over.
    let call = tokio::spawn(service.oneshot(1));
    tokio::time::sleep(ms(1)).await;
    assert_eq!(dependency.attempts(), 2);
    dependency.let_in(1);
    assert_eq!(call.await.unwrap().unwrap(), 81);
}

/// It panics in one call; for the others that attempt has failed, and the connector is asked again.
#[tokio::test(start_paused = true)]
async fn a_connector_that_panics_hangs_nobody() {
    let panics = Arc::new(AtomicBool::new(true));
    let connector = {
        let panics = panics.clone();
        tower::service_fn(move |_: u16| {
            let panics = panics.clone();
            async move {
                tokio::time::sleep(ms(10)).await;
                assert!(!panics.load(SeqCst), "the connector's own");
                Ok::<_, BoxError>(tower::service_fn(async |n: u32| Ok::<_, BoxError>(n)))
            }
        })
    };
    let policy = reconnect().build().unwrap();
    let service = policy.service(connector, 80);
    let calls: Vec<_> = (0..4).map(|n| tokio::spawn(service.clone().oneshot(n))).collect();
    let (mut panicked, mut failed) = (0, 0);
    for call in calls {
        match call.await {
            Err(_) => panicked += 1,
            Ok(result) => failed += u32::from(result.is_err()),
        }
    }
    assert_eq!((panicked, failed, policy.status().failed), (1, 3, 1));
    panics.store(false, SeqCst);
    tokio::time::advance(ms(1000)).await;
    assert_eq!(service.oneshot(7).await.unwrap(), 7);
}

/// On threads of their own, and with connections that break: nobody is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn t03_nobody_is_lost_among_threads() {
    for _ in 0..50 {
        let dependency = Dependency::shut();
        let service = reconnect().build().unwrap().service(dependency.connector(), 80);
        let calls: Vec<_> = (0..16).map(|n| tokio::spawn(service.clone().oneshot(n))).collect();
        tokio::task::yield_now().await;
        calls[0].abort();
        dependency.let_in(16);
        for (n, call) in (1..).zip(calls.into_iter().skip(1)) {
            let served = tokio::time::timeout(Duration::from_secs(20), call).await.expect("nobody hangs");
            assert_eq!(served.unwrap().unwrap(), n + 80);
        }
    }
}

#[tokio::test]
async fn a_connection_that_broke_is_made_anew_once_for_all_clones() {
    let dependency = Dependency::default();
    let reconnect = reconnect().build().unwrap();
    let mut services = vec![reconnect.service(dependency.connector(), 80)];
    assert_eq!(services[0].clone().oneshot(1).await.unwrap(), 81);
    // Each has the connection as its own by now.
    services = (0..5).map(|_| services[0].clone()).collect();
    for service in &mut services {
        assert_eq!(service.ready().await.unwrap().call_now(1).await, 81);
    }
    dependency.break_all();
    for service in &mut services {
        assert_eq!(service.ready().await.unwrap().call_now(2).await, 82);
    }
    assert_eq!((dependency.attempts(), reconnect.status().broken), (2, 1));
}

/// Calls a service that is ready.
trait CallNow {
    async fn call_now(&mut self, n: u32) -> u32;
}

impl<S: tower::Service<u32, Response = u32, Error: std::fmt::Debug>> CallNow for S {
    async fn call_now(&mut self, n: u32) -> u32 {
        self.call(n).await.unwrap()
    }
}

/// It says that nothing was sent, so that a retry above may try again, whatever the request.
#[tokio::test(start_paused = true)]
async fn an_attempt_that_failed_is_the_answer_of_all_who_waited_for_it() {
    let dependency = Dependency::shut();
    dependency.refuse(true);
    let service = reconnect().build().unwrap().service(dependency.connector(), 80);
    let calls: Vec<_> = (0..8).map(|n| tokio::spawn(service.clone().oneshot(n))).collect();
    tokio::time::sleep(ms(1)).await;
    dependency.let_in(1);
    for call in calls {
        let error = call.await.unwrap().unwrap_err();
        let Verdict::Failure(failure) = error.verdict() else { panic!("{error}") };
        assert_eq!((failure.kind, failure.delivery), (FailureKind::Connection, Delivery::NotSent));
        let told = error.downcast_ref::<ConnectError>().unwrap();
        assert_eq!((told.failures(), &**told.policy()), (1, "inventory"));
        assert_eq!(std::error::Error::source(told).unwrap().to_string(), "connection refused");
    }
    assert_eq!(dependency.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_has_failed() {
    let dependency = Dependency::shut();
    let reconnect = reconnect().connect_timeout(ms(200)).build().unwrap();
    let start = tokio::time::Instant::now();
    let error = reconnect.service(dependency.connector(), 80).oneshot(1).await.unwrap_err();
    assert_eq!(start.elapsed(), ms(200));
    let failure = error.verdict().failure().copied().unwrap();
    assert_eq!((failure.kind, failure.delivery), (FailureKind::Connection, Delivery::NotSent));
}

#[tokio::test(start_paused = true)]
async fn a_retry_above_waits_until_there_is_a_connection_again() {
    let dependency = Dependency::default();
    dependency.refuse(true);
    let policy = RetryPolicy::builder("r").max_attempts(10).budget_of(1.0, 100).registry(&Registry::new());
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(policy.build().unwrap()))
        .service(reconnect().build().unwrap().service(dependency.connector(), 80));
    let call = tokio::spawn(service.oneshot(1));
    tokio::time::sleep(Duration::from_secs(3)).await;
    dependency.refuse(false);
    assert_eq!(call.await.unwrap().unwrap(), 81);
    assert!((3..=6).contains(&dependency.attempts()), "{}", dependency.attempts());
}
