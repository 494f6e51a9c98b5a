//! What other layers make of its refusals.

use portcullis::{
    BoxError, Boxed, Breaker, BreakerLayer, Failure, FailureKind, Registry, RetryLayer, RetryPolicy,
    ThrottleLayer, Timeout, TimeoutLayer, Verdict, breaker::State, retry::Backoff,
};
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::support::{Counter, held_back, ms, refused_by_dependency, throttle};

fn retries() -> RetryPolicy {
    let policy = RetryPolicy::builder("retry").max_attempts(3).backoff(Backoff::NONE).budget_of(1.0, 1000);
    policy.registry(&Registry::new()).build().unwrap()
}

/// Rule 12: three attempts of a call that was held back would be three more requests.
#[tokio::test(start_paused = true)]
async fn a_retry_above_does_not_retry_it() {
    let (throttle, retries, calls) = (throttle(), retries(), Counter::default());
    refused_by_dependency(&throttle, 50);
    let before = throttle.status();
    let counted = calls.clone();
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(retries.clone()).idempotent())
        .layer(ThrottleLayer::new(throttle.clone()))
        .service(service_fn(move |n: u32| {
            counted.bump();
            async move { Ok::<_, BoxError>(n) }
        }));
    for n in 0..20 {
        let result = service.clone().oneshot(n).await;
        assert!(result.is_ok() || held_back(&result));
    }
    let status = throttle.status();
    let rejected = status.rejected - before.rejected;
    assert!(rejected > 10, "{rejected}");
    assert_eq!((calls.get() + rejected, retries.status().retries), (20, 0));
    assert_eq!(status.requests - before.requests, 20, "and each call is one request");
}

/// What the dependency has refused is retried, and each attempt is a request.
#[tokio::test(start_paused = true)]
async fn each_attempt_is_a_request() {
    let throttle = throttle();
    let busy = |_: Result<&u32, &BoxError>| Some(Verdict::from(Failure::new(FailureKind::Unavailable)));
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(retries()).protocol(Boxed::default().classify(busy)).idempotent())
        .layer(ThrottleLayer::new(throttle.clone()).protocol(Boxed::default().classify(busy)))
        .service(service_fn(|_: u32| async { Err::<u32, BoxError>("busy".into()) }));
    service.oneshot(1).await.unwrap_err();
    assert_eq!((throttle.status().requests, throttle.status().refused_total), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn a_breaker_above_does_not_count_it() {
    let throttle = throttle();
    refused_by_dependency(&throttle, 50);
    let breaker =
        Breaker::builder("above").consecutive_failures(1).registry(&Registry::new()).build().unwrap();
    let service = ServiceBuilder::new()
        .layer(BreakerLayer::new(breaker.clone()))
        .layer(ThrottleLayer::new(throttle.clone()))
        .service(service_fn(|n: u32| async move { Ok::<_, BoxError>(n) }));
    for n in 0..50 {
        let _ = service.clone().oneshot(n).await;
    }
    let status = breaker.status();
    assert_eq!((breaker.state(), status.failures), (State::Closed, 0));
    assert!(status.ignored > 0 && status.ignored + status.successes == 50, "{status:?}");
}

/// A timeout below tells that nobody knows whether the call was taken; one above drops it.
#[tokio::test(start_paused = true)]
async fn a_timeout_below_counts_and_one_above_does_not() {
    let hangs = || service_fn(|_: u32| std::future::pending::<Result<u32, BoxError>>());
    let timeout = || {
        TimeoutLayer::new(Timeout::builder("timeout", ms(100)).registry(&Registry::new()).build().unwrap())
    };
    let (below, above) = (throttle(), throttle());
    for n in 0..20 {
        let layers = ServiceBuilder::new().layer(ThrottleLayer::new(below.clone())).layer(timeout());
        let _ = layers.service(hangs()).oneshot(n).await;
        let layers = ServiceBuilder::new().layer(timeout()).layer(ThrottleLayer::new(above.clone()));
        let _ = layers.service(hangs()).oneshot(n).await;
    }
    assert_eq!((below.status().requests, below.status().accepted), (20, 0));
    assert!(below.status().rejected > 0);
    assert_eq!((above.status().requests, above.status().ignored_total), (0, 20));
}
