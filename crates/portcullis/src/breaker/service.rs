//! A service behind a breaker.

use std::task::{Context, Poll, ready};

use portcullis_core::breaker::Refusing;
use tower_service::Service;

use super::{Breaker, ResponseFuture};
use crate::{Protocol, Ticket, protocol::watched};

/// A service behind a [`Breaker`].
///
/// While the breaker refuses, the service is ready at once, whatever the inner one is: a refusal waits
/// for nothing. An error of the inner service's readiness counts as a failed call.
#[derive(Clone, Debug)]
pub struct BreakerService<S, P> {
    inner: S,
    breaker: Breaker,
    protocol: P,
    /// The inner service was not asked whether it is ready, because the breaker refuses.
    refusing: Option<Refusing>,
}

impl<S, P> BreakerService<S, P> {
    pub(super) fn new(inner: S, breaker: Breaker, protocol: P) -> Self {
        Self { inner, breaker, protocol, refusing: None }
    }

    /// Records that the inner service can take no calls.
    fn record_unready(&self, verdict: portcullis_core::Verdict) {
        if let Some(mut ticket) = self.breaker.admit_unready() {
            ticket.settle(verdict);
        }
    }
}

impl<S, P, Req> Service<Req> for BreakerService<S, P>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error> + Clone,
{
    type Response = P::Response<super::BreakerTicket>;
    type Error = P::Error;
    type Future = ResponseFuture<S::Future, P, P::Context, Req>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.refusing = self.breaker.refusing();
        if self.refusing.is_some() {
            return Poll::Ready(Ok(()));
        }
        Poll::Ready(ready!(self.inner.poll_ready(cx)).map_err(|error| {
            let error = self.protocol.lift(error);
            self.record_unready(self.protocol.judge_error(&error));
            error
        }))
    }

    #[inline(always)]
    fn call(&mut self, request: Req) -> Self::Future {
        let context = self.protocol.context(&request);
        let protocol = self.protocol.clone();
        if let Some(refusing) = self.refusing.take() {
            return ResponseFuture::refused(self.breaker.refuse(refusing), protocol, context);
        }
        if let Some(mut ticket) = self.breaker.admit_closed() {
            let inner = watched(&mut ticket, || self.inner.call(request));
            return ResponseFuture::running(inner, protocol, context, ticket);
        }
        let retry = protocol.attempt(&request).is_retry();
        match self.breaker.admit_slow(retry) {
            Ok(mut ticket) => {
                let inner = watched(&mut ticket, || self.inner.call(request));
                ResponseFuture::running(inner, protocol, context, ticket)
            }
            Err(rejection) => ResponseFuture::refused(rejection, protocol, context),
        }
    }
}
