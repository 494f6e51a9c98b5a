//! How calls and attempts ended.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use http::{Request, StatusCode};
use portcullis::{
    BoxError, ObserveLayer, Registry, RetryLayer, RetryPolicy, Timeout, TimeoutLayer, retry::Backoff,
};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

use crate::support::{Body, answer, get, observer};

#[tokio::test]
async fn outcomes_are_counted_for_calls_and_for_attempts() {
    let registry = Registry::new();
    let retry = RetryPolicy::builder("shop").backoff(Backoff::NONE).registry(&registry).build().unwrap();
    let observer = observer(&registry);
    let attempts = Arc::new(AtomicU32::new(0));
    let service = ServiceBuilder::new()
        .layer(ObserveLayer::calls(observer.clone()))
        .layer(RetryLayer::new(retry).idempotent())
        .layer(ObserveLayer::attempts(observer.clone()))
        .service(service_fn(move |()| {
            let first = attempts.fetch_add(1, SeqCst) == 0;
            let result = if first { Err("lost".into()) } else { Ok::<_, BoxError>(7) };
            async { result }
        }));

    assert_eq!(service.oneshot(()).await.unwrap(), 7);

    let status = observer.status();
    assert_eq!((status.calls.successes, status.calls.total()), (1, 1));
    assert_eq!((status.attempts.successes, status.attempts.failures, status.attempts.total()), (1, 1, 2));
    assert_eq!((status.calls.took, status.attempts.took), (None, None));
}

/// A timeout of this library is a refusal that says something about the dependency.
#[tokio::test(start_paused = true)]
async fn a_timeout_is_a_failure() {
    let registry = Registry::new();
    let observer = observer(&registry);
    let limit = Timeout::builder("shop", Duration::from_millis(10)).registry(&registry).build().unwrap();
    let service = ServiceBuilder::new()
        .layer(ObserveLayer::calls(observer.clone()))
        .layer(TimeoutLayer::new(limit))
        .service(service_fn(|()| std::future::pending::<Result<(), BoxError>>()));
    service.oneshot(()).await.unwrap_err();
    let calls = observer.status().calls;
    assert_eq!((calls.failures, calls.rejected, calls.abandoned), (1, 0, 0));
}

/// What is dropped before it was ever polled was a call all the same.
#[tokio::test]
async fn what_is_never_polled_is_abandoned() {
    let observer = observer(&Registry::new());
    let mut service =
        ObserveLayer::calls(observer.clone()).layer(service_fn(|()| async { Ok::<_, BoxError>(()) }));
    let call = tower::Service::call(&mut service, ());
    assert_eq!(observer.status().calls.in_flight, 1);
    drop(call);
    assert_eq!((observer.status().calls.in_flight, observer.status().calls.abandoned), (0, 1));
}

/// A body that nobody reads is dropped, and what its head said was the end of the call.
#[tokio::test]
async fn a_body_that_is_not_read_ends_the_call_when_it_is_dropped() {
    let observer = observer(&Registry::new());
    let answers = service_fn(|_: Request<Body>| async { Ok::<_, BoxError>(answer(StatusCode::OK)) });
    let response = ObserveLayer::calls(observer.clone()).http_client().layer(answers).oneshot(get()).await;
    assert_eq!((observer.status().calls.in_flight, observer.status().calls.total()), (1, 0));
    drop(response);
    assert_eq!((observer.status().calls.in_flight, observer.status().calls.successes), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_between_threads() {
    let observer = observer(&Registry::new());
    let service = ObserveLayer::calls(observer.clone()).layer(service_fn(|n: u32| async move {
        tokio::task::yield_now().await;
        if n % 2 == 0 { Ok(()) } else { Err::<(), BoxError>("odd".into()) }
    }));
    let calls = (0..1000).map(|n| tokio::spawn(service.clone().oneshot(n)));
    futures_util::future::join_all(calls).await;
    let calls = observer.status().calls;
    assert_eq!((calls.successes, calls.failures, calls.in_flight), (500, 500, 0));
}
