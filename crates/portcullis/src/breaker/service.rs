//! A service behind a breaker.

use std::task::{Context, Poll, ready};

use tower_service::Service;

use super::{Breaker, ResponseFuture};
use crate::{Protocol, Ticket, Time, clock, protocol::watched};

/// A service behind a [`Breaker`].
///
/// While the breaker refuses, the service is ready at once, whatever the inner one is: a refusal waits
/// for nothing. An error of the inner service's readiness counts as a failed call.
#[derive(Clone, Debug)]
pub struct BreakerService<S, P> {
    inner: S,
    breaker: Breaker,
    protocol: P,
    /// The inner service was not asked whether it is ready, because the breaker refused.
    refused: bool,
    /// When it refused.
    refused_at: Time,
}

impl<S, P> BreakerService<S, P> {
    pub(super) fn new(inner: S, breaker: Breaker, protocol: P) -> Self {
        Self { inner, breaker, protocol, refused: false, refused_at: Time::ORIGIN }
    }

    /// Whether the breaker, which is not closed, refuses; and when that was.
    #[cold]
    #[inline(never)]
    fn is_refused(&mut self) -> bool {
        self.refused_at = clock::now();
        self.breaker.is_refusing_at(self.refused_at)
    }

    /// Records that the inner service can take no calls.
    fn record_unready(&self, verdict: portcullis_core::Verdict) {
        if let Ok(mut ticket) = self.breaker.try_admit() {
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
        self.refused = !self.breaker.is_closed() && self.is_refused();
        if self.refused {
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
        if !std::mem::take(&mut self.refused) {
            if let Some(mut ticket) = self.breaker.admit_closed() {
                let inner = watched(&mut ticket, || self.inner.call(request));
                return ResponseFuture::running(inner, protocol, context, ticket);
            }
            return self.call_slow(request, protocol, context);
        }
        ResponseFuture::refused(self.breaker.refuse(self.refused_at), protocol, context)
    }
}

impl<S, P> BreakerService<S, P> {
    /// A call of a breaker that is not closed.
    #[cold]
    #[inline(never)]
    fn call_slow<Req, Cx>(
        &mut self,
        request: Req,
        protocol: P,
        context: Cx,
    ) -> ResponseFuture<S::Future, P, Cx, Req>
    where
        S: Service<Req>,
    {
        match self.breaker.try_admit() {
            Ok(mut ticket) => {
                let inner = watched(&mut ticket, || self.inner.call(request));
                ResponseFuture::running(inner, protocol, context, ticket)
            }
            Err(rejection) => ResponseFuture::refused(rejection, protocol, context),
        }
    }
}
