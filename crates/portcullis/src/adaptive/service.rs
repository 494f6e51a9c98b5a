//! A service behind an adaptive limit.

use std::task::{Context, Poll};

use tower_service::Service;

use super::{AdaptiveLimit, AdaptiveTicket, ResponseFuture};
use crate::{Protocol, protocol::watched};

/// A service behind an [`AdaptiveLimit`].
///
/// While the limit refuses, the service is ready at once, whatever the inner one is: a refusal waits for nothing. A call
/// that is refused gives up what the inner service reserved for it when it was polled ready: kept, it could be
/// just what the calls in flight need to go on.
#[derive(Clone, Debug)]
pub struct AdaptiveLimitService<S, P> {
    inner: S,
    limit: AdaptiveLimit,
    protocol: P,
    /// The inner service was not asked whether it is ready, because there was no place.
    unready: bool,
    /// The inner service was asked, and not called since: it may have something reserved.
    asked: bool,
}

impl<S, P> AdaptiveLimitService<S, P> {
    pub(super) fn new(inner: S, limit: AdaptiveLimit, protocol: P) -> Self {
        Self { inner, limit, protocol, unready: false, asked: false }
    }
}

impl<S: Clone, P> AdaptiveLimitService<S, P> {
    /// Gives back what the inner service has reserved: the instance that reserved it is dropped.
    fn give_up(&mut self) {
        if std::mem::take(&mut self.asked) {
            self.inner = self.inner.clone();
        }
    }

    /// A call that found no place.
    #[cold]
    #[inline(never)]
    fn late<Req, Cx>(
        &mut self,
        request: Req,
        protocol: P,
        context: Cx,
    ) -> ResponseFuture<S::Future, P, Cx, Req>
    where
        S: Service<Req>,
    {
        match self.limit.admit_or_refuse() {
            Ok(ticket) => self.begin(ticket, request, protocol, context),
            Err(rejection) => {
                self.give_up();
                ResponseFuture::refused(rejection, protocol, context)
            }
        }
    }
}

impl<S, P> AdaptiveLimitService<S, P> {
    #[inline(always)]
    fn begin<Req, Cx>(
        &mut self,
        mut ticket: AdaptiveTicket,
        request: Req,
        protocol: P,
        context: Cx,
    ) -> ResponseFuture<S::Future, P, Cx, Req>
    where
        S: Service<Req>,
    {
        self.asked = false;
        let inner = watched(&mut ticket, || self.inner.call(request));
        ResponseFuture::running(inner, protocol, context, ticket)
    }
}

impl<S, P, Req> Service<Req> for AdaptiveLimitService<S, P>
where
    S: Service<Req> + Clone,
    P: Protocol<Req, S::Response, S::Error> + Clone,
{
    type Response = P::Response<AdaptiveTicket>;
    type Error = P::Error;
    type Future = ResponseFuture<S::Future, P, P::Context, Req>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.unready = self.limit.is_refusing();
        if self.unready {
            self.give_up();
            return Poll::Ready(Ok(()));
        }
        self.asked = true;
        self.inner.poll_ready(cx).map_err(|error| self.protocol.lift(error))
    }

    #[inline(always)]
    fn call(&mut self, request: Req) -> Self::Future {
        let (context, protocol) = (self.protocol.context(&request), self.protocol.clone());
        if std::mem::take(&mut self.unready) {
            return ResponseFuture::refused(self.limit.refuse(), protocol, context);
        }
        match self.limit.admit_now() {
            Some(ticket) => self.begin(ticket, request, protocol, context),
            None => self.late(request, protocol, context),
        }
    }
}
