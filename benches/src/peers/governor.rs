//! `governor`: the generic cell rate algorithm, which has no service; here is the smallest one there can be.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::Either;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::future::{Ready, ready};
use tower::Service;

use crate::inner::{Failed, immediate};
use crate::{Job, Never, Row, repeat};

pub(super) fn job(row: Row) -> Option<Box<dyn Job>> {
    match row {
        Row::RateLimit => Some(repeat::<Never, _>(Limited::new(immediate::<Failed>())?)),
        _ => None,
    }
}

#[derive(Clone)]
struct Limited<S> {
    inner: S,
    limiter: Arc<DefaultDirectRateLimiter>,
}

impl<S> Limited<S> {
    /// One permit in a nanosecond, and as many at once as it can say: its clock begins by finding its own pace.
    fn new(inner: S) -> Option<Self> {
        let quota = Quota::with_period(std::time::Duration::from_nanos(1))?;
        let limiter = Arc::new(RateLimiter::direct(quota.allow_burst(NonZeroU32::MAX)));
        Some(Self { inner, limiter })
    }
}

impl<S: Service<u64, Error = Failed>> Service<u64> for Limited<S> {
    type Response = S::Response;
    type Error = Failed;
    type Future = Either<S::Future, Ready<Result<S::Response, Failed>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: u64) -> Self::Future {
        match self.limiter.check() {
            Ok(()) => Either::Left(self.inner.call(request)),
            Err(_) => Either::Right(ready(Err(Failed))),
        }
    }
}
