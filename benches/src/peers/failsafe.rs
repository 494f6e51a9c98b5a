//! `failsafe`: its breaker on consecutive failures, the cheapest it has; a
//! window over the last calls it has not. The small service around is ours.

use std::task::{Context, Poll};

use failsafe::backoff::{Constant, constant};
use failsafe::failure_policy::{ConsecutiveFailures, consecutive_failures};
use failsafe::futures::{CircuitBreaker, ResponseFuture};
use failsafe::{Any, Config, Error, StateMachine};
use tower::Service;

use super::STAYS_OPEN;
use crate::inner::{Failed, immediate};
use crate::{EverySecond, Job, Never, Row, repeat, trip};

/// Enough that every second failure does not open it.
const FAILURES: u32 = 5;

type Policy = ConsecutiveFailures<Constant>;

pub(super) fn job(row: Row) -> Option<Box<dyn Job>> {
    match row {
        Row::Closed => Some(repeat::<Never, _>(breaker(immediate::<Failed>()))),
        Row::Open => Some(repeat::<Never, _>(trip(breaker(immediate::<Failed>())))),
        Row::HalfFailing => Some(repeat::<EverySecond, _>(breaker(immediate::<Failed>()))),
        _ => None,
    }
}

fn breaker<S>(inner: S) -> Breaker<S> {
    let policy = consecutive_failures(FAILURES, constant(STAYS_OPEN));
    Breaker { breaker: Config::new().failure_policy(policy).build(), inner }
}

#[derive(Clone)]
struct Breaker<S> {
    breaker: StateMachine<Policy, ()>,
    inner: S,
}

impl<S> Service<u64> for Breaker<S>
where
    S: Service<u64, Response = u64, Error = Failed>,
{
    type Response = u64;
    type Error = Error<Failed>;
    type Future = ResponseFuture<S::Future, Policy, (), Any>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Error::Inner)
    }

    fn call(&mut self, request: u64) -> Self::Future {
        self.breaker.call(self.inner.call(request))
    }
}
