//! When it connects, and who is served by it.

use std::time::Duration;

use portcullis::reconnect::ConnectError;
use portcullis::{Delivery, FailureKind, FromRejection, Registry, RetryLayer, RetryPolicy, Verdict};
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

/// The one who connects gives up: the next connects, and the others wait for him.
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
    assert_eq!(dependency.attempts(), 2);
    dependency.let_in(1);
    for (n, call) in (1..).zip(others) {
        assert_eq!(call.await.unwrap().unwrap(), n + 80);
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
