//! The response future of a bulkhead.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use portcullis_core::Rejection;
use tower_service::Service;

use super::{BulkheadTicket, ticket::Waiting};
use crate::{Protocol, protocol};

pin_project! {
    /// The response future of [`BulkheadService`](super::BulkheadService).
    ///
    /// Dropping it leaves the queue, or gives the permit back.
    pub struct ResponseFuture<S, P, Cx, Req>
    where
        S: Service<Req>,
    {
        #[pin]
        state: State<S, P, Cx, Req>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, P, Cx, Req>
    where
        S: Service<Req>,
    {
        Waiting { queued: Option<Box<Queued<S, P, Cx, Req>>> },
        Called { #[pin] future: protocol::ResponseFuture<S::Future, P, Cx, BulkheadTicket, Req> },
    }
}

/// All that a call needs when its turn comes.
struct Queued<S, P, Cx, Req> {
    waiting: Waiting,
    ready: S,
    request: Req,
    protocol: P,
    context: Cx,
}

impl<S: Service<Req>, P, Cx, Req> ResponseFuture<S, P, Cx, Req> {
    pub(super) fn running(inner: S::Future, protocol: P, context: Cx, ticket: BulkheadTicket) -> Self {
        let future = protocol::ResponseFuture::running(inner, protocol, context, ticket);
        Self { state: State::Called { future } }
    }

    pub(super) fn refused(rejection: Rejection, protocol: P, context: Cx) -> Self {
        let future = protocol::ResponseFuture::refused(rejection, protocol, context);
        Self { state: State::Called { future } }
    }

    pub(super) fn waiting(waiting: Waiting, ready: S, request: Req, protocol: P, context: Cx) -> Self {
        let queued = Box::new(Queued { waiting, ready, request, protocol, context });
        Self { state: State::Waiting { queued: Some(queued) } }
    }
}

impl<S, P, Req> Future for ResponseFuture<S, P, P::Context, Req>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
{
    type Output = Result<P::Response<BulkheadTicket>, P::Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            match state.as_mut().project() {
                StateProj::Called { future } => return future.poll(cx),
                StateProj::Waiting { queued } => {
                    let Some(waits) = queued else { return Poll::Pending };
                    let admitted = ready!(waits.waiting.poll(cx));
                    let Some(waits) = queued.take() else { return Poll::Pending };
                    state.set(State::Called { future: (*waits).go(admitted) });
                }
            }
        }
    }
}

impl<S: Service<Req>, P, Cx, Req> Queued<S, P, Cx, Req> {
    /// The turn has come, or the time is over.
    fn go(
        mut self,
        admitted: Result<BulkheadTicket, Rejection>,
    ) -> protocol::ResponseFuture<S::Future, P, Cx, BulkheadTicket, Req> {
        match admitted {
            Ok(ticket) => {
                let inner = self.ready.call(self.request);
                protocol::ResponseFuture::running(inner, self.protocol, self.context, ticket)
            }
            Err(rejection) => {
                // The inner instance was polled ready: dropped now, it gives back what it reserved.
                protocol::ResponseFuture::refused(rejection, self.protocol, self.context)
            }
        }
    }
}

impl<S: Service<Req>, P, Cx, Req> fmt::Debug for ResponseFuture<S, P, Cx, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("bulkhead::ResponseFuture").finish_non_exhaustive()
    }
}
