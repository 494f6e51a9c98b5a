//! Tower's hedge. Its delay is always a percentile, here that of the longest call there ever was; and it is
//! not `Clone`.

use std::task::{Context, Poll};
use std::time::Duration;

use tower::hedge::{Hedge, Policy};
use tower::{BoxError, Service};

/// Longer than a call that is pending once takes, and short, because its histogram is searched from the bottom.
const LONGEST_MS: u64 = 100;
/// Longer than any run, so that the longest call is not forgotten.
const PERIOD: Duration = Duration::from_secs(3600);

/// Every request may be sent twice.
#[derive(Clone)]
pub(super) struct Twice;

impl Policy<u64> for Twice {
    fn clone_request(&self, request: &u64) -> Option<u64> {
        Some(*request)
    }

    fn can_retry(&self, _request: &u64) -> bool {
        true
    }
}

/// A hedge that can be cloned, which makes another.
pub(super) struct Hedged<S> {
    inner: S,
    hedge: Hedge<S, Twice>,
}

impl<S> Hedged<S>
where
    S: Service<u64, Error: Into<BoxError>> + Clone,
{
    pub(super) fn new(inner: S) -> Self {
        let hedge = Hedge::new_with_mock_latencies(inner.clone(), Twice, 1, 1.0, PERIOD, &[LONGEST_MS]);
        Self { inner, hedge }
    }
}

impl<S> Clone for Hedged<S>
where
    S: Service<u64, Error: Into<BoxError>> + Clone,
{
    fn clone(&self) -> Self {
        Self::new(self.inner.clone())
    }
}

impl<S> Service<u64> for Hedged<S>
where
    S: Service<u64, Error: Into<BoxError>> + Clone,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = <Hedge<S, Twice> as Service<u64>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.hedge.poll_ready(cx)
    }

    fn call(&mut self, request: u64) -> Self::Future {
        self.hedge.call(request)
    }
}
