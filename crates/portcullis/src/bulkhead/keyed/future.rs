//! The response future of a keyed bulkhead.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use portcullis_core::Rejection;
use tower_service::Service;

use super::{ticket::KeyedBulkheadTicket, waiting::Waiting};
use crate::{Protocol, keyed::Key, protocol};

/// The future of a call that runs, or is refused.
type Called<F, P, Cx, K, Req> = protocol::ResponseFuture<F, P, Cx, KeyedBulkheadTicket<K>, Req>;

pin_project! {
    /// The response future of [`KeyedBulkheadService`](super::KeyedBulkheadService).
    ///
    /// Dropping it leaves the queue, or gives the permits back.
    pub struct ResponseFuture<S, P, Cx, K, Req>
    where
        S: Service<Req>,
    {
        #[pin]
        state: State<S, P, Cx, K, Req>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, P, Cx, K, Req>
    where
        S: Service<Req>,
    {
        Waiting { queued: Option<Box<Queued<S, P, Cx, K, Req>>> },
        Called { #[pin] future: Called<S::Future, P, Cx, K, Req> },
    }
}

/// All that a call needs when its turn comes.
struct Queued<S, P, Cx, K, Req> {
    waiting: Waiting<K>,
    /// The permits, once the turn has come.
    ticket: Option<KeyedBulkheadTicket<K>>,
    inner: S,
    request: Req,
    protocol: P,
    context: Cx,
}

impl<S: Service<Req>, P, Cx, K, Req> ResponseFuture<S, P, Cx, K, Req> {
    #[inline(always)]
    pub(super) fn running(
        inner: S::Future,
        protocol: P,
        context: Cx,
        ticket: KeyedBulkheadTicket<K>,
    ) -> Self {
        Self { state: State::Called { future: Called::running(inner, protocol, context, ticket) } }
    }

    pub(super) fn refused(rejection: Rejection, protocol: P, context: Cx) -> Self {
        Self { state: State::Called { future: Called::refused(rejection, protocol, context) } }
    }

    pub(super) fn waiting(waiting: Waiting<K>, inner: S, request: Req, protocol: P, context: Cx) -> Self {
        let queued = Box::new(Queued { waiting, ticket: None, inner, request, protocol, context });
        Self { state: State::Waiting { queued: Some(queued) } }
    }
}

impl<S, P, K, Req> Future for ResponseFuture<S, P, P::Context, K, Req>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
    K: Key,
{
    type Output = Result<P::Response<KeyedBulkheadTicket<K>>, P::Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        if let State::Waiting { .. } = *state {
            if let Some(error) = ready!(state.as_mut().poll_turn(cx)) {
                return Poll::Ready(Err(error));
            }
        }
        match state.project() {
            StateProj::Called { future } => future.poll(cx),
            StateProj::Waiting { .. } => Poll::Pending, // polled after it was ready
        }
    }
}

impl<S, P, K, Req> State<S, P, P::Context, K, Req>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
    K: Key,
{
    /// Waiting => Called, when the turn has come, or will not. Ready with the inner service's error when that is not
    /// ready for it.
    #[cold]
    #[inline(never)]
    fn poll_turn(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<P::Error>> {
        let StateProj::Waiting { queued } = self.as_mut().project() else { return Poll::Ready(None) };
        let Some(waits) = queued else { return Poll::Pending };
        let turn = ready!(waits.poll_turn(cx));
        let Some(waits) = queued.take() else { return Poll::Pending };
        let Queued { mut inner, request, protocol, context, .. } = *waits;
        let future = match turn {
            Turn::Come(ticket) => Called::running(inner.call(request), protocol, context, ticket),
            Turn::Refused(rejection) => Called::refused(rejection, protocol, context),
            Turn::Unready(error) => return Poll::Ready(Some(protocol.lift(error))),
        };
        self.set(Self::Called { future });
        Poll::Ready(None)
    }
}

/// What the wait came to.
enum Turn<K, E> {
    Come(KeyedBulkheadTicket<K>),
    Refused(Rejection),
    Unready(E),
}

impl<S: Service<Req>, P, Cx, K: Key, Req> Queued<S, P, Cx, K, Req> {
    /// Waits for the permits, and then with them for the inner service's readiness.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Turn<K, S::Error>> {
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
}

impl<S: Service<Req>, P, Cx, K, Req> fmt::Debug for ResponseFuture<S, P, Cx, K, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("bulkhead::keyed::ResponseFuture").finish_non_exhaustive()
    }
}
