//! Refusals, weights and reservations.

use std::{borrow::Cow, time::Duration};

use portcullis::{BoxError, PolicyKind, RateLimit, RateLimitLayer, Reason, rate::Limits};
use tokio::time::{Instant, advance};
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::support::{SECOND, echo, limit, ms, rejection};

#[test]
fn the_defaults_are_valid() {
    assert_eq!(RateLimit::new("defaults").config().permits, 100);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_tells_the_nanosecond() {
    let limit = limit(3).build().unwrap();
    let service = echo(&limit);
    assert_eq!(service.clone().oneshot(1).await.unwrap(), 1);
    let refused = rejection(service.clone().oneshot(2).await);
    let wait = Duration::from_nanos(333_333_334);
    assert_eq!((refused.kind(), refused.retry_after()), (PolicyKind::RateLimit, Some(wait)));
    let reason = Reason::RateLimited { permits: 3, period: SECOND, cost: 1, queued: 0 };
    assert_eq!(refused.reason(), reason);
    let text = "rate_limit 'limit' has no 1 left of 3 in 1s, 0 queued; retry after 334ms";
    assert_eq!(refused.to_string(), text);

    advance(wait - Duration::from_nanos(1)).await;
    assert_eq!(rejection(service.clone().oneshot(3).await).retry_after(), Some(Duration::from_nanos(1)));
    advance(Duration::from_nanos(1)).await;
    assert_eq!(service.oneshot(4).await.unwrap(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_request_takes_what_it_costs() {
    let limit = limit(10).burst(10).build().unwrap();
    let service = ServiceBuilder::new()
        .layer(RateLimitLayer::new(limit.clone()).cost(|n: &u32| *n))
        .service(service_fn(|n: u32| async move { Ok::<_, BoxError>(n) }));
    assert_eq!(service.clone().oneshot(7).await.unwrap(), 7);
    assert_eq!(rejection(service.clone().oneshot(4).await).retry_after(), Some(ms(100)));
    assert_eq!(service.clone().oneshot(3).await.unwrap(), 3);
    // Never, and so no time is named.
    assert_eq!(rejection(service.clone().oneshot(11).await).retry_after(), None);
    assert_eq!(service.oneshot(0).await.unwrap(), 0, "what costs nothing is let through");
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_limit_is_let_through() {
    #[derive(Clone)]
    struct Odd(RateLimit);
    impl Limits<u32> for Odd {
        fn limit(&self, request: &u32) -> Option<Cow<'_, RateLimit>> {
            (request % 2 == 1).then_some(Cow::Borrowed(&self.0))
        }
    }
    let service = ServiceBuilder::new()
        .layer(RateLimitLayer::by(Odd(limit(1).build().unwrap())))
        .service(service_fn(|n: u32| async move { Ok::<_, BoxError>(n) }));
    for n in [2, 4, 1, 6] {
        assert_eq!(service.clone().oneshot(n).await.unwrap(), n);
    }
    rejection(service.oneshot(3).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_reserved_waits_and_then_is_spent() {
    let limit = limit(10).build().unwrap();
    let start = Instant::now();
    for _ in 0..3 {
        limit.reserve(1, SECOND).unwrap().ready().await;
    }
    assert_eq!(start.elapsed(), ms(200));
    let next = limit.reserve(1, SECOND).unwrap();
    assert_eq!(next.wait(), ms(100));
    assert_eq!(limit.reserve(1, ms(199)).unwrap_err().retry_after(), Some(ms(200)), "not in time");
    drop(next);
    assert_eq!(limit.try_admit().unwrap_err().retry_after(), Some(ms(100)), "it was given back");
    limit.reserve(1, SECOND).unwrap().spend();
    assert_eq!(limit.try_admit().unwrap_err().retry_after(), Some(ms(200)));
}

#[tokio::test(start_paused = true)]
async fn a_sliding_window_gives_all_at_once_and_nothing_until_they_are_a_period_old() {
    let limit = limit(3).sliding_window().build().unwrap();
    limit.try_admit_many(2).unwrap();
    advance(ms(400)).await;
    limit.try_admit().unwrap();
    assert_eq!(limit.try_admit().unwrap_err().retry_after(), Some(ms(600)));
    advance(ms(600)).await;
    assert_eq!(limit.status().available, 2);
    limit.try_admit_many(2).unwrap();
    assert_eq!(limit.try_admit().unwrap_err().retry_after(), Some(ms(400)));
}

#[tokio::test(start_paused = true)]
async fn it_works_without_tower() {
    let limit = limit(10).queue(1, SECOND).build().unwrap();
    let start = Instant::now();
    for n in 0..3 {
        assert_eq!(limit.call(|| async { Ok::<_, BoxError>(n) }).await.unwrap(), n);
    }
    assert_eq!(start.elapsed(), ms(200));
    limit.admit(2).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn it_warms_up_after_a_start_and_after_a_rest() {
    let limit = limit(100).warmup(0.1, 10 * SECOND).build().unwrap();
    for _ in 0..2 {
        limit.try_admit().unwrap();
        let wait = limit.try_admit().unwrap_err().retry_after().unwrap();
        assert!(wait > ms(95) && wait < ms(100), "about a tenth of the rate: {wait:?}");
        advance(12 * SECOND).await;
        limit.try_admit().unwrap();
        assert_eq!(limit.try_admit().unwrap_err().retry_after(), Some(ms(10)), "warm");
        advance(ms(10) + 10 * SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn calls_allocate_nothing() {
    let limit = limit(1000).burst(1000).build().unwrap();
    limit.try_admit().unwrap();
    let counts = allocation_counter::measure(|| (0..100).for_each(|_| limit.try_admit().unwrap()));
    assert_eq!(counts.count_total, 0);
}
