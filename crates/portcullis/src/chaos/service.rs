//! A service that meets faults.

use std::task::{Context, Poll};

use portcullis_core::chaos::End;
use tower_service::Service;

use super::{Chaos, ChaosTicket, Choose, Respond, ResponseFuture};
use crate::Protocol;

/// A service that meets faults, by [`Chaos`].
///
/// A call that does not reach the inner service gives up what that reserved for it when it was polled ready.
#[derive(Clone, Debug)]
pub struct ChaosService<S, P, C, R> {
    pub(super) inner: S,
    pub(super) chaos: Chaos,
    pub(super) protocol: P,
    pub(super) choose: C,
    pub(super) respond: R,
}

impl<S, P, C, R, Req> Service<Req> for ChaosService<S, P, C, R>
where
    S: Service<Req> + Clone,
    P: Protocol<Req, S::Response, S::Error> + Clone,
    C: Choose<Req>,
    R: Respond<Req, S::Response>,
{
    type Response = P::Response<ChaosTicket>;
    type Error = P::Error;
    type Future = ResponseFuture<S::Future, P, P::Context, Req, S::Response, S::Error>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(|error| self.protocol.lift(error))
    }

    #[inline(always)]
    fn call(&mut self, request: Req) -> Self::Future {
        let context = self.protocol.context(&request);
        let Some(plan) = self.chaos.shared.plan(self.choose.choose(&request)) else {
            return ResponseFuture::plain(self.inner.call(request), self.protocol.clone(), context);
        };
        let (protocol, shared) = (self.protocol.clone(), self.chaos.shared.pin());
        let Some(end) = plan.end else {
            return ResponseFuture::called(self.inner.call(request), protocol, context, shared, plan);
        };
        let response = if end == End::Response { self.respond.respond(&request) } else { None };
        // The instance that was asked and is not called is dropped.
        self.inner = self.inner.clone();
        ResponseFuture::ending(response, protocol, context, shared, plan)
    }
}
