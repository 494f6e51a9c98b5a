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
    /// The permit, once the turn has come.
    ticket: Option<BulkheadTicket>,
    inner: S,
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

    pub(super) fn waiting(waiting: Waiting, inner: S, request: Req, protocol: P, context: Cx) -> Self {
        let queued = Box::new(Queued { waiting, ticket: None, inner, request, protocol, context });
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
        if let State::Waiting { .. } = *state {
            if let Some(refused) = ready!(state.as_mut().poll_turn(cx)) {
                return Poll::Ready(refused);
            }
        }
        match state.project() {
            StateProj::Called { future } => future.poll(cx),
            StateProj::Waiting { .. } => Poll::Pending, // polled after it was ready
        }
    }
}

impl<S, P, Req> State<S, P, P::Context, Req>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
{
    /// Waiting => Called, when the turn has come; ready with the answer when it does not come.
    #[cold]
    #[inline(never)]
    #[expect(clippy::type_complexity, reason = "the future's own output")]
    fn poll_turn(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<P::Response<BulkheadTicket>, P::Error>>> {
        let StateProj::Waiting { queued } = self.as_mut().project() else { return Poll::Ready(None) };
        let Some(waits) = queued else { return Poll::Pending };
        let turn = ready!(waits.poll_turn(cx));
        let Some(waits) = queued.take().map(|waits| *waits) else { return Poll::Pending };
        Poll::Ready(match turn {
            Turn::Come(ticket) => {
                self.set(State::Called { future: waits.go(ticket) });
                None
            }
            Turn::Refused(rejection) => Some(waits.protocol.refuse(waits.context, rejection)),
            Turn::Unready(error) => Some(Err(waits.protocol.lift(error))),
        })
    }
}

/// What the wait came to.
enum Turn<E> {
    Come(BulkheadTicket),
    Refused(Rejection),
    Unready(E),
}

impl<S: Service<Req>, P, Cx, Req> Queued<S, P, Cx, Req> {
    /// Waits for the permit, and then with it for the inner service's readiness.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Turn<S::Error>> {
        if self.ticket.is_none() {
            match ready!(self.waiting.poll(cx)) {
                Ok(ticket) => self.ticket = Some(ticket),
                Err(rejection) => return Poll::Ready(Turn::Refused(rejection)),
            }
        }
        let readiness = ready!(self.inner.poll_ready(cx));
        match (readiness, self.ticket.take()) {
            (Ok(()), Some(ticket)) => Poll::Ready(Turn::Come(ticket)),
            (Ok(()), None) => Poll::Pending, // polled after it was ready
            (Err(error), _) => Poll::Ready(Turn::Unready(error)),
        }
    }

    /// The turn has come, and the inner service is ready.
    fn go(
        mut self,
        ticket: BulkheadTicket,
    ) -> protocol::ResponseFuture<S::Future, P, Cx, BulkheadTicket, Req> {
        let inner = self.inner.call(self.request);
        protocol::ResponseFuture::running(inner, self.protocol, self.context, ticket)
    }
}

impl<S: Service<Req>, P, Cx, Req> fmt::Debug for ResponseFuture<S, P, Cx, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("bulkhead::ResponseFuture").finish_non_exhaustive()
    }
}
