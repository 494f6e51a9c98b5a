//! What a layer below refuses.

use portcullis::{BoxError, Breaker, BreakerLayer, Registry, RetryLayer, retry::Stop};
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::support::{ms, policy};

fn isolated_for(time: std::time::Duration) -> Breaker {
    let breaker = Breaker::builder("below").registry(&Registry::new()).build().unwrap();
    breaker.isolate_for(time);
    breaker
}

async fn call(retry: RetryLayer, breaker: &Breaker) -> (std::time::Duration, Result<u32, BoxError>) {
    let service = ServiceBuilder::new()
        .layer(retry)
        .layer(BreakerLayer::new(breaker.clone()))
        .service(service_fn(|n: u32| async move { Ok::<_, BoxError>(n) }));
    let started = tokio::time::Instant::now();
    let result = service.oneshot(7).await;
    (started.elapsed(), result)
}

/// T12: three retries of an open breaker.
#[tokio::test(start_paused = true)]
async fn a_refusal_is_not_retried() {
    let retries = policy(ms(1)).build().unwrap();
    let (took, result) = call(RetryLayer::new(retries.clone()), &isolated_for(ms(100))).await;
    result.unwrap_err();
    assert_eq!((took, retries.status().retries), (ms(0), 0));
}

#[tokio::test(start_paused = true)]
async fn a_policy_may_wait_for_a_breaker() {
    let retries = policy(ms(1)).retry_refusals().build().unwrap();
    let (took, result) = call(RetryLayer::new(retries.clone()), &isolated_for(ms(100))).await;
    assert_eq!(result.unwrap(), 7);
    assert!((ms(100)..ms(105)).contains(&took), "{took:?}");
    assert_eq!((retries.status().retries, retries.status().recovered), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn it_does_not_wait_for_one_that_opens_too_late() {
    let late = policy(ms(1)).retry_refusals().total_time(ms(90)).build().unwrap();
    let (took, result) = call(RetryLayer::new(late.clone()), &isolated_for(ms(100))).await;
    result.unwrap_err();
    assert_eq!((took, late.status().stopped(Stop::Deadline)), (ms(0), 1));

    let impatient = policy(ms(1)).retry_refusals().max_retry_after(ms(90)).build().unwrap();
    let (took, result) = call(RetryLayer::new(impatient), &isolated_for(ms(100))).await;
    result.unwrap_err();
    assert_eq!(took, ms(0));
}
