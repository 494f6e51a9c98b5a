//! `seatbelt`: breaker, fallback, hedging, retry, timeout, used as tower services. It has no
//! bulkhead and no retry budget. Its breaker looks at 30 seconds, not at a
//! number of calls.

use std::time::Duration;

use seatbelt::breaker::{Breaker, BreakerLayer};
use seatbelt::fallback::{Fallback, FallbackLayer};
use seatbelt::hedging::{Hedging, HedgingLayer};
use seatbelt::retry::{Retry, RetryLayer};
use seatbelt::timeout::{Timeout, TimeoutLayer};
use seatbelt::{RecoveryInfo, ResilienceContext};
use tick::Clock;
use tower::{Layer, ServiceBuilder};

use super::{PATIENCE, RETRIES, SPAN, STAYS_OPEN, THRESHOLD, WINDOW};
use crate::inner::{Answer, Failed, fails_first, immediate, pends_once};
use crate::{EverySecond, Job, Never, Row, repeat, trip};

pub(super) fn job(row: Row) -> Option<Box<dyn Job>> {
    match row {
        Row::Closed => Some(repeat::<Never, _>(breaker().layer(immediate::<Failed>()))),
        Row::ClosedTime => Some(repeat::<Never, _>(breaker_in_time().layer(immediate::<Failed>()))),
        Row::Open => Some(repeat::<Never, _>(trip(breaker().layer(immediate::<Failed>())))),
        Row::HalfFailing => Some(repeat::<EverySecond, _>(breaker().layer(immediate::<Failed>()))),
        Row::HalfFailingTime => {
            Some(repeat::<EverySecond, _>(breaker_in_time().layer(immediate::<Failed>())))
        }
        Row::RetryNone => Some(repeat::<Never, _>(retry().layer(immediate::<Failed>()))),
        Row::RetryOnce => Some(repeat::<Never, _>(retry().layer(fails_first::<Failed>()))),
        Row::HedgeReady => Some(repeat::<Never, _>(hedging().layer(immediate::<Failed>()))),
        Row::HedgePending => Some(repeat::<Never, _>(hedging().layer(pends_once::<Failed>()))),
        Row::Fallback => Some(repeat::<Never, _>(fallback().layer(immediate::<Failed>()))),
        Row::TimeoutReady => Some(repeat::<Never, _>(timeout().layer(immediate::<Failed>()))),
        Row::TimeoutPending => Some(repeat::<Never, _>(timeout().layer(pends_once::<Failed>()))),
        Row::Stack => Some(repeat::<Never, _>(stack())),
        _ => None,
    }
}

/// The three of the four that seatbelt has.
fn stack() -> impl super::Service {
    ServiceBuilder::new().layer(timeout()).layer(retry()).layer(breaker()).service(immediate::<Failed>())
}

fn breaker() -> BreakerLayer<u64, Answer> {
    Breaker::layer("breaker", &context())
        .recovery_with(|answer, _| judge(answer))
        .rejected_input_error(|_, _| Failed)
        .failure_threshold(THRESHOLD)
        .min_throughput(u32::from(WINDOW))
        .break_duration(STAYS_OPEN)
}

fn breaker_in_time() -> BreakerLayer<u64, Answer> {
    breaker().sampling_duration(SPAN)
}

fn retry() -> RetryLayer<u64, Answer> {
    Retry::layer("retry", &context())
        .clone_input()
        .recovery_with(|answer, _| judge(answer))
        .max_retry_attempts(u32::from(RETRIES))
        .base_delay(Duration::ZERO)
}

fn hedging() -> HedgingLayer<u64, Answer> {
    Hedging::layer("hedging", &context())
        .clone_input()
        .recovery_with(|answer, _| judge(answer))
        .hedging_delay(PATIENCE)
}

fn fallback() -> FallbackLayer<u64, Answer> {
    Fallback::layer("fallback", &context()).should_fallback(Answer::is_err).fallback(|_, _| Ok(0))
}

fn timeout() -> TimeoutLayer<u64, Answer> {
    Timeout::layer("timeout", &context()).timeout(PATIENCE).timeout_error(|_| Failed)
}

fn context() -> ResilienceContext<u64, Answer> {
    ResilienceContext::new(Clock::new_tokio())
}

fn judge(answer: &Answer) -> RecoveryInfo {
    if answer.is_ok() { RecoveryInfo::never() } else { RecoveryInfo::retry() }
}
