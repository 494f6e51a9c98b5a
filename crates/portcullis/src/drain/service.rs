//! A service that can be drained.

use std::task::{Context, Poll};

use tower_service::Service;

use super::{Drain, DrainTicket, ResponseFuture};
use crate::Protocol;

/// A service that can be drained by a [`Drain`].
///
/// When new work is refused it is ready though the inner service is not. A call that is refused gives up what the inner
/// service reserved for it when it was polled ready.
#[derive(Clone, Debug)]
pub struct DrainService<S, P> {
    inner: S,
    drain: Drain,
    protocol: P,
    /// The inner service was asked whether it is ready, and not called since: it may have something reserved.
    asked: bool,
}

impl<S, P> DrainService<S, P> {
    pub(super) fn new(inner: S, drain: Drain, protocol: P) -> Self {
        Self { inner, drain, protocol, asked: false }
    }
}

impl<S, P, Req> Service<Req> for DrainService<S, P>
where
    S: Service<Req> + Clone,
    P: Protocol<Req, S::Response, S::Error> + Clone,
{
    type Response = P::Response<DrainTicket>;
    type Error = P::Error;
    type Future = ResponseFuture<S::Future, P, P::Context, Req>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.asked = true;
        let readiness = self.inner.poll_ready(cx).map_err(|error| self.protocol.lift(error));
        // It refuses from now on for ever, so no call will need the inner service.
        if readiness.is_pending() && self.drain.is_refusing() {
            return Poll::Ready(Ok(()));
        }
        readiness
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        let (protocol, context) = (self.protocol.clone(), self.protocol.context(&request));
        let closes = self.protocol.can_close(&request);
        match self.drain.admit(self.protocol.name_of(&request)) {
            Ok(ticket) => {
                self.asked = false;
                ResponseFuture::running(self.inner.call(request), protocol, context, closes, ticket)
            }
            Err(rejection) => {
                // The instance that reserved something is dropped, with it.
                if std::mem::take(&mut self.asked) {
                    self.inner = self.inner.clone();
                }
                ResponseFuture::refused(rejection, protocol, context, closes)
            }
        }
    }
}
