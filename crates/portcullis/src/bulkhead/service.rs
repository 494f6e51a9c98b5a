//! A service behind a bulkhead.

use std::task::{Context, Poll};

use tower_service::Service;

use super::{Bulkhead, BulkheadTicket, ResponseFuture, policy::Entry};
use crate::Protocol;

/// A service behind a [`Bulkhead`].
///
/// A call that must wait takes the inner instance that was polled ready with it, and leaves a clone.
#[derive(Clone, Debug)]
pub struct BulkheadService<S, P> {
    inner: S,
    bulkhead: Bulkhead,
    protocol: P,
    /// The inner service was not asked whether it is ready, because the bulkhead was full.
    unready: bool,
}

impl<S, P> BulkheadService<S, P> {
    pub(super) fn new(inner: S, bulkhead: Bulkhead, protocol: P) -> Self {
        Self { inner, bulkhead, protocol, unready: false }
    }
}

impl<S, P, Req> Service<Req> for BulkheadService<S, P>
where
    S: Service<Req> + Clone,
    P: Protocol<Req, S::Response, S::Error> + Clone,
{
    type Response = P::Response<BulkheadTicket>;
    type Error = P::Error;
    type Future = ResponseFuture<S, P, P::Context, Req>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.unready = self.bulkhead.is_refusing();
        if self.unready {
            return Poll::Ready(Ok(()));
        }
        self.inner.poll_ready(cx).map_err(|error| self.protocol.lift(error))
    }

    #[inline]
    fn call(&mut self, request: Req) -> Self::Future {
        let context = self.protocol.context(&request);
        let protocol = self.protocol.clone();
        if std::mem::take(&mut self.unready) {
            return ResponseFuture::refused(self.bulkhead.refuse(), protocol, context);
        }
        match self.bulkhead.enter() {
            Ok(Entry::Admitted(ticket)) => {
                ResponseFuture::running(self.inner.call(request), protocol, context, ticket)
            }
            Ok(Entry::Waiting(waiting)) => {
                let clone = self.inner.clone();
                let ready = std::mem::replace(&mut self.inner, clone);
                ResponseFuture::waiting(waiting, ready, request, protocol, context)
            }
            Err(rejection) => ResponseFuture::refused(rejection, protocol, context),
        }
    }
}
