//! The time between attempts.

use portcullis::{reconnect::ConnectError, retry::Backoff};
use tokio::time::Instant;
use tower::ServiceExt;

use super::support::{Dependency, ms, reconnect};

#[tokio::test(start_paused = true)]
async fn until_the_backoff_is_over_calls_fail_at_once() {
    let dependency = Dependency::default();
    dependency.refuse(true);
    let service = reconnect().build().unwrap().service(dependency.connector(), 80);
    let left = async || {
        let error = service.clone().oneshot(1).await.unwrap_err();
        error.downcast_ref::<ConnectError>().unwrap().retry_after()
    };
    assert_eq!(left().await, ms(1000));
    tokio::time::advance(ms(400)).await;
    assert_eq!((left().await, dependency.attempts()), (ms(600), 1));
    tokio::time::advance(ms(600)).await;
    assert_eq!((left().await, dependency.attempts()), (ms(1000), 2));
    dependency.refuse(false);
    tokio::time::advance(ms(1000)).await;
    assert_eq!(service.oneshot(1).await.unwrap(), 81);
}

#[tokio::test(start_paused = true)]
async fn or_wait_for_the_next_attempt_where_that_is_wanted() {
    let dependency = Dependency::default();
    dependency.refuse(true);
    let reconnect = reconnect().wait(true).build().unwrap();
    let service = reconnect.service(dependency.connector(), 80);
    service.clone().oneshot(1).await.unwrap_err();
    let start = Instant::now();
    let calls: Vec<_> = (0..8).map(|n| tokio::spawn(service.clone().oneshot(n))).collect();
    tokio::time::sleep(ms(500)).await;
    dependency.refuse(false);
    for (n, call) in (0..).zip(calls) {
        assert_eq!(call.await.unwrap().unwrap(), n + 80);
    }
    assert_eq!((start.elapsed(), dependency.attempts()), (ms(1000), 2));
}

#[tokio::test(start_paused = true)]
async fn waits_grow_and_begin_anew_after_a_success() {
    let dependency = Dependency::default();
    let backoff = Backoff::exponential(ms(100)).jitter(portcullis::retry::Jitter::None);
    let reconnect = reconnect().backoff(backoff).build().unwrap();
    let service = reconnect.service(dependency.connector(), 80);
    let fail = async || {
        let error = service.clone().oneshot(1).await.unwrap_err();
        let wait = error.downcast_ref::<ConnectError>().unwrap().retry_after();
        tokio::time::advance(wait).await;
        wait
    };
    dependency.refuse(true);
    let waits = [fail().await, fail().await, fail().await];
    assert_eq!(waits, [ms(100), ms(200), ms(400)]);
    dependency.refuse(false);
    service.clone().oneshot(1).await.unwrap();
    dependency.refuse(true);
    dependency.break_all();
    assert_eq!(fail().await, ms(100));
}

/// A connection that breaks as soon as it is made is one that was not made: nobody goes round in circles.
#[tokio::test(start_paused = true)]
async fn connections_that_break_at_once_are_made_ever_less_often() {
    let dependency = Dependency::default();
    let backoff = Backoff::exponential(ms(100)).jitter(portcullis::retry::Jitter::None);
    let service = reconnect().backoff(backoff).build().unwrap().service(dependency.connector(), 80);
    dependency.spoil(true);
    for wait in [100, 200, 400] {
        let error = service.clone().oneshot(1).await.unwrap_err();
        let told = error.downcast_ref::<ConnectError>().unwrap();
        assert_eq!(told.retry_after(), ms(wait));
        assert_eq!(std::error::Error::source(told).unwrap().to_string(), "broken pipe");
        tokio::time::advance(ms(wait)).await;
    }
    assert_eq!(dependency.attempts(), 3);
    dependency.spoil(false);
    assert_eq!(service.oneshot(1).await.unwrap(), 81);
}

/// Each is ready once, and breaks.
#[tokio::test(start_paused = true)]
async fn connections_that_come_and_go_are_made_ever_less_often() {
    let dependency = Dependency::default();
    let backoff = Backoff::exponential(ms(100)).jitter(portcullis::retry::Jitter::None);
    let policy = reconnect().backoff(backoff).stable_after(ms(5000)).build().unwrap();
    let service = policy.service(dependency.connector(), 80);
    service.clone().oneshot(1).await.unwrap();
    // The first is an accident.
    dependency.break_all();
    service.clone().oneshot(1).await.unwrap();
    for wait in [100, 200, 400] {
        dependency.break_all();
        let error = service.clone().oneshot(1).await.unwrap_err();
        let told = error.downcast_ref::<ConnectError>().unwrap();
        assert_eq!(told.retry_after(), ms(wait));
        assert_eq!(std::error::Error::source(told).unwrap().to_string(), "broken pipe");
        tokio::time::advance(ms(wait)).await;
        service.clone().oneshot(1).await.unwrap();
    }
    // One that was stable ends that.
    tokio::time::advance(ms(5000)).await;
    dependency.break_all();
    service.clone().oneshot(1).await.unwrap();
    dependency.break_all();
    service.clone().oneshot(1).await.unwrap();
    assert_eq!((dependency.attempts(), policy.status().broken, policy.status().failed), (7, 6, 0));
}

/// Eight clones share a connection that breaks before it was ready: that is one attempt that failed, not eight.
#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_at_once_under_many_has_failed_once() {
    let dependency = Dependency::shut();
    let backoff = Backoff::exponential(ms(100)).jitter(portcullis::retry::Jitter::None);
    let reconnect = reconnect().backoff(backoff).build().unwrap();
    let service = reconnect.service(dependency.connector(), 80);
    dependency.spoil(true);
    let calls: Vec<_> = (0..8).map(|n| tokio::spawn(service.clone().oneshot(n))).collect();
    tokio::time::sleep(ms(1)).await;
    dependency.let_in(1);
    for call in calls {
        let error = call.await.unwrap().unwrap_err();
        let told = error.downcast_ref::<ConnectError>().unwrap();
        assert_eq!((told.failures(), told.retry_after()), (1, ms(100)));
    }
    let status = reconnect.status();
    assert_eq!((dependency.attempts(), status.failed, status.broken), (1, 1, 1));
    dependency.spoil(false);
    dependency.let_in(1);
    tokio::time::advance(ms(100)).await;
    assert_eq!(service.oneshot(1).await.unwrap(), 81);
}
