//! A service whose calls are seen.

use std::{
    fmt,
    task::{Context, Poll},
};

use tower_service::Service;

use super::{ObserveTicket, Observer, ResponseFuture, policy::Scope, span::About};
use crate::{Protocol, protocol::watched_inside};

/// A service whose calls, or attempts, an [`Observer`] sees. It is ready when the inner one is.
#[derive(Clone)]
pub struct ObserveService<S, P> {
    inner: S,
    protocol: P,
    observer: Observer,
    scope: Scope,
}

impl<S, P> ObserveService<S, P> {
    pub(super) fn new(inner: S, observer: Observer, scope: Scope, protocol: P) -> Self {
        Self { inner, protocol, observer, scope }
    }
}

impl<S, P, Req> Service<Req> for ObserveService<S, P>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error> + Clone,
{
    type Response = P::Response<ObserveTicket>;
    type Error = P::Error;
    type Future = ResponseFuture<S::Future, P, P::Context, Req>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(|error| self.protocol.lift(error))
    }

    #[inline(always)]
    fn call(&mut self, request: Req) -> Self::Future {
        let context = self.protocol.context(&request);
        let protocol = self.protocol.clone();
        let Some(mut ticket) = self.observer.shared.begin_counted(self.scope) else {
            return self.call_watched(request, protocol, context);
        };
        let watch = ticket.watch();
        let inner = self.inner.call(request);
        watch.over();
        ResponseFuture::new(inner, protocol, context, ticket)
    }
}

impl<S, P> ObserveService<S, P> {
    /// Inside of the span, if there is one. Apart, so that of other calls it is known that they are only counted.
    #[cold]
    #[inline(never)]
    fn call_watched<Req>(
        &mut self,
        request: Req,
        protocol: P,
        context: P::Context,
    ) -> ResponseFuture<S::Future, P, P::Context, Req>
    where
        S: Service<Req>,
        P: Protocol<Req, S::Response, S::Error>,
    {
        let about = About { attempt: protocol.attempt(&request), request: protocol.name_of(&request) };
        let mut ticket = self.observer.shared.begin_watched(self.scope, &about);
        let inner = watched_inside(&mut ticket, || self.inner.call(request));
        ResponseFuture::new(inner, protocol, context, ticket)
    }
}

impl<S: fmt::Debug, P: fmt::Debug> fmt::Debug for ObserveService<S, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObserveService")
            .field("inner", &self.inner)
            .field("protocol", &self.protocol)
            .field("observer", &self.observer)
            .finish_non_exhaustive()
    }
}
