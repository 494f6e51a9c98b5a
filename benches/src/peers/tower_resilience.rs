//! `tower-resilience`: breaker, bulkhead, hedge, retry, time limiter, as its own
//! builders make them.

use tower::{Layer, ServiceBuilder};
use tower_resilience::bulkhead::BulkheadLayer;
use tower_resilience::circuitbreaker::{CircuitBreakerLayer, DefaultClassifier, SlidingWindowType};
use tower_resilience::hedge::HedgeLayer;
use tower_resilience::ratelimiter::RateLimiterLayer;
use tower_resilience::retry::{RetryBudgetBuilder, RetryConfigBuilder, RetryLayer};
use tower_resilience::timelimiter::{FixedTimeout, TimeLimiterLayer};

use super::{PATIENCE, RETRIES, ROOM, SPAN, STAYS_OPEN, THRESHOLD, WINDOW};
use crate::inner::{Failed, immediate, pends_once};
use crate::{EverySecond, Job, Never, Row, repeat, trip};

pub(super) fn job(row: Row) -> Option<Box<dyn Job>> {
    match row {
        Row::Closed => Some(repeat::<Never, _>(breaker()?.layer(immediate::<Failed>()))),
        Row::ClosedTime => Some(repeat::<Never, _>(breaker_in_time()?.layer(immediate::<Failed>()))),
        Row::Open => Some(repeat::<Never, _>(trip(breaker()?.layer(immediate::<Failed>())))),
        Row::HalfFailing => Some(repeat::<EverySecond, _>(breaker()?.layer(immediate::<Failed>()))),
        Row::RetryNone => Some(repeat::<Never, _>(retry::<Failed>().build().layer(immediate::<Failed>()))),
        Row::RetryNoneBudget => {
            let budget = RetryBudgetBuilder::new().token_bucket().build().ok()?;
            Some(repeat::<Never, _>(retry::<Failed>().budget(budget).build().layer(immediate::<Failed>())))
        }
        Row::HedgeReady => Some(repeat::<Never, _>(hedge().layer(immediate::<Failed>()))),
        Row::HedgePending => Some(repeat::<Never, _>(hedge().layer(pends_once::<Failed>()))),
        Row::Bulkhead => Some(repeat::<Never, _>(bulkhead()?.layer(immediate::<Failed>()))),
        Row::RateLimit => Some(repeat::<Never, _>(rate_limit()?.layer(immediate::<Failed>()))),
        Row::TimeoutReady => Some(repeat::<Never, _>(timeout().layer(immediate::<Failed>()))),
        Row::TimeoutPending => Some(repeat::<Never, _>(timeout().layer(pends_once::<Failed>()))),
        Row::Stack => Some(repeat::<Never, _>(stack()?)),
        Row::HalfFailingTime => {
            Some(repeat::<EverySecond, _>(breaker_in_time()?.layer(immediate::<Failed>())))
        }
        // Among them the retries: it always sleeps, and a sleep of nothing is a millisecond of tokio's timer.
        _ => None,
    }
}

fn stack() -> Option<impl super::Service> {
    let service = ServiceBuilder::new()
        .layer(timeout())
        .layer(retry().build())
        .layer(breaker()?)
        .layer(bulkhead()?)
        .service(immediate::<Failed>());
    Some(service)
}

fn breaker() -> Option<CircuitBreakerLayer<DefaultClassifier>> {
    CircuitBreakerLayer::builder()
        .sliding_window_size(usize::from(WINDOW))
        .failure_rate_threshold(f64::from(THRESHOLD))
        .wait_duration_in_open(STAYS_OPEN)
        .build()
        .ok()
}

fn breaker_in_time() -> Option<CircuitBreakerLayer<DefaultClassifier>> {
    CircuitBreakerLayer::builder()
        .sliding_window_type(SlidingWindowType::TimeBased)
        .sliding_window_duration(SPAN)
        .failure_rate_threshold(f64::from(THRESHOLD))
        .wait_duration_in_open(STAYS_OPEN)
        .build()
        .ok()
}

fn bulkhead() -> Option<BulkheadLayer> {
    BulkheadLayer::builder().max_concurrent_calls(usize::from(ROOM)).build().ok()
}

fn retry<E>() -> RetryConfigBuilder<u64, u64, E> {
    RetryLayer::builder().max_attempts(usize::from(RETRIES) + 1)
}

fn hedge() -> HedgeLayer {
    HedgeLayer::builder().delay(PATIENCE).max_hedged_attempts(2).build()
}

fn rate_limit() -> Option<RateLimiterLayer> {
    RateLimiterLayer::builder().limit_for_period(usize::MAX).refresh_period(PATIENCE).build().ok()
}

fn timeout() -> TimeLimiterLayer<FixedTimeout> {
    TimeLimiterLayer::builder().timeout_duration(PATIENCE).build()
}
