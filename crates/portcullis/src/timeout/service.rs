//! A service with a time limit.

use std::task::{Context, Poll};

use tower_service::Service;

use super::{Limits, OfPolicy, ResponseFuture, Timeout, ticket::BodyDeadline, watch::Watch};
use crate::{Protocol, oneshot::Oneshot};

/// A service with a [`Timeout`].
///
/// It is always ready. A call that finds the inner service not ready takes that instance with it, leaves
/// a clone, and waits within its time.
#[derive(Clone, Debug)]
pub struct TimeoutService<S, P, L = OfPolicy> {
    inner: S,
    timeout: Timeout,
    protocol: P,
    limits: L,
    /// The inner service was not ready when it was asked.
    unready: bool,
}

impl<S, P, L> TimeoutService<S, P, L> {
    pub(super) fn new(inner: S, timeout: Timeout, protocol: P, limits: L) -> Self {
        Self { inner, timeout, protocol, limits, unready: false }
    }
}

impl<S, P, L, Req> Service<Req> for TimeoutService<S, P, L>
where
    S: Service<Req> + Clone,
    P: Protocol<Req, S::Response, S::Error> + Clone,
    L: Limits<Req>,
{
    type Response = P::Response<BodyDeadline>;
    type Error = P::Error;
    type Future = ResponseFuture<S, P, P::Context, Req>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let inner = self.inner.poll_ready(cx);
        self.unready = inner.is_pending();
        match inner {
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.protocol.lift(error))),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(())),
        }
    }

    #[inline(always)]
    fn call(&mut self, request: Req) -> Self::Future {
        let context = self.protocol.context(&request);
        let protocol = self.protocol.clone();
        // First: what is known of it would not be any more after a call of what is not inlined.
        let ready = !std::mem::take(&mut self.unready);
        let timing = self.timeout.shared.begin(self.limits.limit(&request));
        // Before the call: what follows it would have to drop it if it panicked, and so it would be put in memory.
        let held = self.timeout.shared.pin();
        let call = Oneshot::new(&mut self.inner, ready, request);
        ResponseFuture::new(call, Watch::new(held, timing), protocol, context)
    }
}
