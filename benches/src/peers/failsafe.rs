//! `failsafe`: its breaker on consecutive failures, the cheapest it has, and the
//! one on the rate of successes in a time; a window over the last calls it has
//! not. The small service around is ours.

use std::task::{Context, Poll};

use failsafe::backoff::{Constant, constant};
use failsafe::failure_policy::{
    ConsecutiveFailures, FailurePolicy, SuccessRateOverTimeWindow, consecutive_failures,
    success_rate_over_time_window,
};
use failsafe::futures::{CircuitBreaker, ResponseFuture};
use failsafe::{Any, Config, Error, StateMachine};
use tower::Service;

use super::{SPAN, STAYS_OPEN, THRESHOLD, WINDOW};
use crate::inner::{Failed, immediate};
use crate::{EverySecond, Job, Never, Row, repeat, trip};

/// Enough that every second failure does not open it.
const FAILURES: u32 = 5;

pub(super) fn job(row: Row) -> Option<Box<dyn Job>> {
    match row {
        Row::Closed => Some(repeat::<Never, _>(breaker(immediate::<Failed>()))),
        Row::ClosedTime => Some(repeat::<Never, _>(breaker_in_time(immediate::<Failed>()))),
        Row::Open => Some(repeat::<Never, _>(trip(breaker(immediate::<Failed>())))),
        Row::HalfFailing => Some(repeat::<EverySecond, _>(breaker(immediate::<Failed>()))),
        Row::HalfFailingTime => Some(repeat::<EverySecond, _>(breaker_in_time(immediate::<Failed>()))),
        _ => None,
    }
}

fn breaker<S>(inner: S) -> Breaker<S, ConsecutiveFailures<Constant>> {
    let policy = consecutive_failures(FAILURES, constant(STAYS_OPEN));
    Breaker { breaker: Config::new().failure_policy(policy).build(), inner }
}

fn breaker_in_time<S>(inner: S) -> Breaker<S, SuccessRateOverTimeWindow<Constant>> {
    let rate = 1.0 - f64::from(THRESHOLD);
    let policy = success_rate_over_time_window(rate, u32::from(WINDOW), SPAN, constant(STAYS_OPEN));
    Breaker { breaker: Config::new().failure_policy(policy).build(), inner }
}

struct Breaker<S, P> {
    breaker: StateMachine<P, ()>,
    inner: S,
}

impl<S: Clone, P> Clone for Breaker<S, P> {
    fn clone(&self) -> Self {
        Self { breaker: self.breaker.clone(), inner: self.inner.clone() }
    }
}

impl<S, P> Service<u64> for Breaker<S, P>
where
    P: FailurePolicy + Send + Sync + 'static,
    S: Service<u64, Response = u64, Error = Failed>,
{
    type Response = u64;
    type Error = Error<Failed>;
    type Future = ResponseFuture<S::Future, P, (), Any>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Error::Inner)
    }

    fn call(&mut self, request: u64) -> Self::Future {
        self.breaker.call(self.inner.call(request))
    }
}
