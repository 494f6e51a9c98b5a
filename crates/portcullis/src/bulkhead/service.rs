//! A service behind a bulkhead.

use std::task::{Context, Poll};

use tower_service::Service;

use super::{Bulkhead, BulkheadTicket, ResponseFuture, policy::Entry};
use crate::Protocol;

/// A service behind a [`Bulkhead`].
///
/// A call that must wait or is refused gives up what the inner service reserved for it when it was polled
/// ready: kept, it could be just what the calls in flight need to go on. Its turn come, a call polls an
/// instance of its own ready.
#[derive(Clone, Debug)]
pub struct BulkheadService<S, P> {
    inner: S,
    bulkhead: Bulkhead,
    protocol: P,
    /// The inner service was not asked whether it is ready, because the bulkhead was full.
    unready: bool,
    /// The inner service was asked, and not called since: it may have something reserved.
    asked: bool,
}

impl<S, P> BulkheadService<S, P> {
    pub(super) fn new(inner: S, bulkhead: Bulkhead, protocol: P) -> Self {
        Self { inner, bulkhead, protocol, unready: false, asked: false }
    }
}

impl<S: Clone, P> BulkheadService<S, P> {
    /// Gives back what the inner service has reserved: the instance that reserved it is dropped.
    fn give_up(&mut self) {
        if std::mem::take(&mut self.asked) {
            self.inner = self.inner.clone();
        }
    }

    /// A call that found no permit free.
    #[cold]
    #[inline(never)]
    fn queue<Req, Cx>(&mut self, request: Req, protocol: P, context: Cx) -> ResponseFuture<S, P, Cx, Req>
    where
        S: Service<Req>,
    {
        match self.bulkhead.queue() {
            Ok(Entry::Admitted(ticket)) => {
                self.asked = false;
                ResponseFuture::running(self.inner.call(request), protocol, context, ticket)
            }
            Ok(Entry::Waiting(waiting)) => {
                self.give_up();
                ResponseFuture::waiting(waiting, self.inner.clone(), request, protocol, context)
            }
            Err(rejection) => {
                self.give_up();
                ResponseFuture::refused(rejection, protocol, context)
            }
        }
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
            self.give_up();
            return Poll::Ready(Ok(()));
        }
        self.asked = true;
        self.inner.poll_ready(cx).map_err(|error| self.protocol.lift(error))
    }

    #[inline(always)]
    fn call(&mut self, request: Req) -> Self::Future {
        let context = self.protocol.context(&request);
        let protocol = self.protocol.clone();
        if !std::mem::take(&mut self.unready) {
            if let Some(ticket) = self.bulkhead.admit_now() {
                self.asked = false;
                return ResponseFuture::running(self.inner.call(request), protocol, context, ticket);
            }
            return self.queue(request, protocol, context);
        }
        ResponseFuture::refused(self.bulkhead.refuse(), protocol, context)
    }
}
