//! `tower` itself: concurrency limit, hedge, retry, timeout. It has no breaker, and
//! its retry has no policy of its own; the one here waits for nothing.

mod hedge;

use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tower::ServiceBuilder;
use tower::limit::{ConcurrencyLimit, RateLimit, rate::Rate};
use tower::retry::budget::{Budget, TpsBudget};
use tower::retry::{Policy, Retry};
use tower::timeout::Timeout;

use super::{PATIENCE, RETRIES, ROOM, Service};
use crate::inner::{Failed, fails_first, immediate, pends_once};
use crate::{Job, Never, Row, repeat};

pub(super) fn job(row: Row) -> Option<Box<dyn Job>> {
    match row {
        Row::RetryNone => {
            Some(repeat::<Never, _>(Retry::new(Attempts::new(Unlimited), immediate::<Failed>())))
        }
        Row::RetryNoneBudget => {
            Some(repeat::<Never, _>(Retry::new(Attempts::new(tokens()), immediate::<Failed>())))
        }
        Row::RetryOnce => {
            Some(repeat::<Never, _>(Retry::new(Attempts::new(Unlimited), fails_first::<Failed>())))
        }
        Row::RetryOnceBudget => {
            Some(repeat::<Never, _>(Retry::new(Attempts::new(tokens()), fails_first::<Failed>())))
        }
        Row::HedgeReady => Some(repeat::<Never, _>(hedge::Hedged::new(immediate::<Failed>()))),
        Row::HedgePending => Some(repeat::<Never, _>(hedge::Hedged::new(pends_once::<Failed>()))),
        Row::Bulkhead => {
            Some(repeat::<Never, _>(ConcurrencyLimit::new(immediate::<Failed>(), usize::from(ROOM))))
        }
        Row::RateLimit => Some(repeat::<Never, _>(Limited::new(immediate::<Failed>()))),
        Row::TimeoutReady => Some(repeat::<Never, _>(Timeout::new(immediate::<Failed>(), PATIENCE))),
        Row::TimeoutPending => Some(repeat::<Never, _>(Timeout::new(pends_once::<Failed>(), PATIENCE))),
        Row::Stack => Some(repeat::<Never, _>(stack())),
        _ => None,
    }
}

/// Tower's rate limit, which is not `Clone`: whoever shares it gets one of his own.
struct Limited<S> {
    limit: RateLimit<S>,
    inner: S,
}

impl<S: Clone> Limited<S> {
    fn new(inner: S) -> Self {
        Self { limit: RateLimit::new(inner.clone(), Rate::new(u64::MAX, PATIENCE)), inner }
    }
}

impl<S: Clone> Clone for Limited<S> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone())
    }
}

impl<S: tower::Service<u64>> tower::Service<u64> for Limited<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = <RateLimit<S> as tower::Service<u64>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.limit.poll_ready(cx)
    }

    fn call(&mut self, request: u64) -> Self::Future {
        self.limit.call(request)
    }
}

/// The three of the four that tower has.
fn stack() -> impl Service {
    ServiceBuilder::new()
        .timeout(PATIENCE)
        .retry(Attempts::new(tokens()))
        .concurrency_limit(usize::from(ROOM))
        .service(immediate::<Failed>())
}

/// Tries again at once, as often as it may.
#[derive(Clone)]
pub(super) struct Attempts<B> {
    left: u8,
    budget: B,
}

impl<B> Attempts<B> {
    pub(super) fn new(budget: B) -> Self {
        Self { left: RETRIES, budget }
    }
}

impl<B: Budget, E> Policy<u64, u64, E> for Attempts<B> {
    type Future = Ready<()>;

    fn retry(&mut self, _request: &mut u64, result: &mut Result<u64, E>) -> Option<Self::Future> {
        if result.is_ok() {
            self.budget.deposit();
            return None;
        }
        if self.left == 0 || !self.budget.withdraw() {
            return None;
        }
        self.left -= 1;
        Some(ready(()))
    }

    fn clone_request(&mut self, request: &u64) -> Option<u64> {
        Some(*request)
    }
}

/// No budget.
#[derive(Clone)]
struct Unlimited;

impl Budget for Unlimited {
    fn deposit(&self) {}

    fn withdraw(&self) -> bool {
        true
    }
}

/// Tower's budget, which is not `Clone`, so that a policy can share it.
#[derive(Clone)]
pub(super) struct Tokens(Arc<TpsBudget>);

impl Budget for Tokens {
    fn deposit(&self) {
        self.0.deposit();
    }

    fn withdraw(&self) -> bool {
        self.0.withdraw()
    }
}

/// Enough for one retry per call, so that the row does what it says.
pub(super) fn tokens() -> Tokens {
    Tokens(Arc::new(TpsBudget::new(Duration::from_secs(10), 1000, 2.0)))
}
