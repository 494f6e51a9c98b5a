//! T27: a hedge that fails must not harm the first attempt.

use portcullis::{Breaker, BreakerLayer, HedgeLayer};
use tower::{Layer, ServiceExt};

use super::support::{Act, Dependency, Readiness, hedge, ms};

/// Its error was returned, and the healthy first attempt dropped.
#[tokio::test(start_paused = true)]
async fn t27_a_failing_hedge_does_not_end_the_call() {
    let (hedge, dependency) =
        (hedge().build().unwrap(), Dependency::of([Act::Ok(100), Act::Fail(5, "down")]));
    assert_eq!(dependency.call(&hedge).await.unwrap(), 1);
    assert_eq!(dependency.log.lines(), ["1 sent @0", "2 sent @20", "answer of 1 @100"]);
    assert_eq!(hedge.status().failed, 1);
}

#[tokio::test(start_paused = true)]
async fn t27_a_panicking_hedge_does_not_end_the_call() {
    let (hedge, dependency) = (hedge().build().unwrap(), Dependency::of([Act::Ok(100), Act::Panic(5)]));
    assert_eq!(dependency.call(&hedge).await.unwrap(), 1);
    assert_eq!(hedge.status().failed, 1);
}

#[tokio::test(start_paused = true)]
async fn t27_a_hedge_without_a_ready_instance_does_not_end_the_call() {
    for readiness in [Readiness::Never, Readiness::Fails, Readiness::Panics] {
        let (hedge, mut dependency) = (hedge().build().unwrap(), Dependency::of([Act::Ok(100)]));
        dependency.readiness = [Readiness::Ready, readiness];
        assert_eq!(dependency.call(&hedge).await.unwrap(), 1, "{readiness:?}");
        assert_eq!((dependency.attempts(), hedge.status().sent), (1, 1), "{readiness:?}");
        assert_eq!(hedge.status().lost, u64::from(readiness == Readiness::Never));
    }
}

/// The breaker opens between the two attempts.
#[tokio::test(start_paused = true)]
async fn t27_a_hedge_that_is_refused_below_does_not_end_the_call() {
    let (hedge, dependency) = (hedge().build().unwrap(), Dependency::of([Act::Ok(100)]));
    let breaker = Breaker::new("t27");
    let layers =
        (HedgeLayer::new(hedge.clone()).typed().idempotent(), BreakerLayer::new(breaker.clone()).typed());
    let call = tokio::spawn(layers.layer(dependency.clone()).oneshot(7));
    tokio::time::sleep(ms(10)).await;
    breaker.isolate();
    assert_eq!(call.await.unwrap().unwrap(), 1);
    assert_eq!((hedge.status().sent, hedge.status().failed), (1, 1));
}

/// The refusal of a further attempt tells less than how the first one failed.
#[tokio::test(start_paused = true)]
async fn the_first_s_failure_is_returned_when_the_hedge_is_refused() {
    let (hedge, dependency) = (hedge().build().unwrap(), Dependency::of([Act::Fail(10, "down")]));
    let breaker = Breaker::new("t27");
    let layers =
        (HedgeLayer::new(hedge.clone()).typed().idempotent(), BreakerLayer::new(breaker.clone()).typed());
    let call = tokio::spawn(layers.layer(dependency.clone()).oneshot(7));
    tokio::time::sleep(ms(5)).await;
    breaker.isolate();
    assert_eq!(call.await.unwrap().unwrap_err().0, "down");
    assert_eq!((hedge.status().sent, hedge.status().failed), (1, 1));
}

/// An open breaker is not asked again.
#[tokio::test(start_paused = true)]
async fn a_call_that_is_refused_below_is_not_sent_again() {
    let (hedge, dependency) = (hedge().build().unwrap(), Dependency::of([]));
    let breaker = Breaker::new("refused");
    breaker.isolate();
    let layers =
        (HedgeLayer::new(hedge.clone()).typed().idempotent(), BreakerLayer::new(breaker.clone()).typed());
    let error = layers.layer(dependency.clone()).oneshot(7).await.unwrap_err();
    assert!(error.1.is_some());
    assert_eq!((hedge.status().sent, breaker.status().refused), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_panic_goes_on_when_there_is_no_other_answer() {
    let (hedge, dependency) =
        (hedge().build().unwrap(), Dependency::of([Act::Fail(25, "down"), Act::Panic(30)]));
    // The first failure is known, and tells more.
    assert_eq!(dependency.call(&hedge).await.unwrap_err().0, "down");

    let dependency = Dependency::of([Act::Panic(5)]);
    let its = dependency.clone();
    let call = tokio::spawn(async move { its.call(&hedge).await });
    assert!(call.await.unwrap_err().is_panic());
    assert_eq!(dependency.attempts(), 1);
}
