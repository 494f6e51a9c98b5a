//! What becomes of calls.

use portcullis::{
    AdaptiveLimitLayer, BoxError, Failure, FailureKind, PolicyKind, Reason, Rejection, Ticket, Verdict,
};
use tokio::{task::yield_now, time::sleep};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::support::{limit, ms, rounds};

#[tokio::test(start_paused = true)]
async fn a_call_that_finds_no_place_is_refused_at_once() {
    let limit = limit(2).build().unwrap();
    let _held = [(); 2].map(|()| limit.try_admit().unwrap());
    let rejection = limit.try_admit().unwrap_err();
    assert_eq!(rejection.reason(), Reason::LimitReached { limit: 2, in_flight: 2 });
    assert_eq!((rejection.kind(), rejection.retry_after()), (PolicyKind::AdaptiveLimit, None));
    assert_eq!(rejection.to_string(), "adaptive_limit 'limit' is at its limit: 2 of 2 in flight");
}

#[tokio::test(start_paused = true)]
async fn a_full_limit_is_ready_and_refuses_in_call() {
    let limit = limit(1).build().unwrap();
    let held = limit.try_admit().unwrap();
    let never = service_fn(|()| std::future::pending::<Result<(), BoxError>>());
    let mut service = AdaptiveLimitLayer::new(limit.clone()).layer(never);
    let error = service.ready().await.unwrap().call(()).await.unwrap_err();
    assert_eq!(Rejection::find(&*error).unwrap().kind(), PolicyKind::AdaptiveLimit);
    drop(held);
    assert!(!limit.is_refusing());
}

#[tokio::test(start_paused = true)]
async fn every_end_gives_the_place_back_and_is_counted() {
    let limit = limit(10).build().unwrap();
    let ends = [
        Some(Verdict::Success),
        Some(Failure::new(FailureKind::Timeout).into()),
        Some(Failure::new(FailureKind::Validation).into()),
        Some(Verdict::Ignored),
        None,
    ];
    for end in ends {
        let mut ticket = limit.try_admit().unwrap();
        assert_eq!(ticket.in_flight(), 1);
        if let Some(verdict) = end {
            ticket.settle(verdict);
            ticket.settle(Verdict::Ignored);
        }
    }
    let status = limit.status();
    assert_eq!((status.successes, status.failures, status.ignored, status.abandoned), (1, 2, 1, 1));
    assert_eq!(status.in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_or_panics_gives_its_place_back() {
    let limit = limit(1).build().unwrap();
    let service = service_fn(|panics: bool| async move {
        sleep(ms(10)).await;
        assert!(!panics, "as it was told");
        Ok::<_, BoxError>(())
    });
    let service = AdaptiveLimitLayer::new(limit.clone()).layer(service);
    let call = tokio::spawn(service.clone().oneshot(false));
    yield_now().await;
    assert_eq!(limit.status().in_flight, 1);
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    assert!(tokio::spawn(service.clone().oneshot(true)).await.unwrap_err().is_panic());
    service.oneshot(false).await.unwrap();

    let status = limit.status();
    assert_eq!((status.in_flight, status.abandoned, status.failures, status.successes), (0, 1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn without_tower_errors_are_judged_and_nothing_leaks() {
    let limit = limit(1).build().unwrap();
    let answer = limit.call(|| async { Ok::<_, BoxError>(7) }).await.unwrap();
    let error = limit.call(|| async { Err::<(), BoxError>("down".into()) }).await.unwrap_err();
    assert_eq!((answer, error.to_string()), (7, "down".to_owned()));
    let held = limit.try_admit().unwrap();
    let refused = limit.call(|| async { Ok::<_, BoxError>(7) }).await.unwrap_err();
    assert!(refused.is::<Rejection>());
    drop(held);
    let status = limit.status();
    assert_eq!((status.successes, status.failures, status.rejected, status.in_flight), (1, 1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn it_rises_while_all_is_well_and_falls_when_it_is_not() {
    let limit = limit(20).build().unwrap();
    rounds(&limit, 100, ms(20), Verdict::Success).await;
    let high = limit.status();
    assert!(high.limit > 50 && high.increases > 0, "{high:?}");
    assert!(high.baseline.is_some_and(|baseline| baseline.abs_diff(ms(20)) < ms(1)), "{high:?}");
    rounds(&limit, 100, ms(20), Failure::new(FailureKind::Unavailable).into()).await;
    assert!(limit.status().limit < high.limit / 2, "{limit:?}");
}
