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

use super::{
    BulkheadTicket,
    ticket::{Held, Waiting},
};
use crate::{Protocol, parked::Parked, protocol::future::fail};

pin_project! {
    /// The response future of [`BulkheadService`](super::BulkheadService).
    ///
    /// Dropping it leaves the queue, or gives the permits back.
    pub struct ResponseFuture<S, P, Cx, Req>
    where
        S: Service<Req>,
    {
        #[pin]
        state: State<S::Future, S, Req>,
        protocol: P,
        context: Cx,
    }
}

pin_project! {
    // Of two, so that one comparison tells which it is.
    #[project = StateProj]
    enum State<F, S, Req> {
        Running { #[pin] inner: F, held: Held },
        Late { late: Late<S, Req> },
    }
}

/// A call that was not admitted at once.
enum Late<S, Req> {
    Waiting(Parked<Queued<S, Req>>),
    Refused(Rejection),
    /// It came to something.
    Over,
}

/// All that a call needs when its turn comes.
struct Queued<S, Req> {
    waiting: Waiting,
    /// The permits, once the turn has come.
    held: Option<Held>,
    inner: S,
    request: Option<Req>,
}

impl<S: Service<Req>, P, Cx, Req> ResponseFuture<S, P, Cx, Req> {
    #[inline(always)]
    pub(super) fn running(inner: S::Future, protocol: P, context: Cx, held: Held) -> Self {
        Self { state: State::Running { inner, held }, protocol, context }
    }

    pub(super) fn refused(rejection: Rejection, protocol: P, context: Cx) -> Self {
        Self { state: State::Late { late: Late::Refused(rejection) }, protocol, context }
    }

    pub(super) fn waiting(waiting: Waiting, inner: S, request: Req, protocol: P, context: Cx) -> Self {
        let queued = Parked::new(Queued { waiting, held: None, inner, request: Some(request) });
        Self { state: State::Late { late: Late::Waiting(queued) }, protocol, context }
    }
}

impl<S, P, Req> Future for ResponseFuture<S, P, P::Context, Req>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
{
    type Output = Result<P::Response<BulkheadTicket>, P::Error>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.as_mut().project();
        match this.state.project() {
            StateProj::Running { inner, held } => match ready!(inner.poll(cx)) {
                Ok(response) => {
                    Poll::Ready(Ok(this.protocol.complete(this.context.clone(), response, held.take())))
                }
                Err(error) => Poll::Ready(Err(fail(this.protocol, error, held.take()))),
            },
            StateProj::Late { .. } => self.poll_late(cx),
        }
    }
}

impl<S, P, Req> ResponseFuture<S, P, P::Context, Req>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
{
    /// Late => Running, when the turn has come; and what a call comes to that has none.
    #[cold]
    #[inline(never)]
    fn poll_late(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<<Self as Future>::Output> {
        let mut this = self.as_mut().project();
        let StateProj::Late { late } = this.state.as_mut().project() else { return Poll::Pending };
        match ready!(late.poll_turn(cx)) {
            Turn::Come(inner, held) => {
                this.state.set(State::Running { inner, held });
                self.poll(cx)
            }
            Turn::Refused(rejection) => Poll::Ready(this.protocol.refuse(this.context.clone(), rejection)),
            Turn::Unready(error) => Poll::Ready(Err(this.protocol.lift(error))),
        }
    }
}

/// What a call came to that was late.
enum Turn<F, E> {
    Come(F, Held),
    Refused(Rejection),
    Unready(E),
}

impl<S: Service<Req>, Req> Late<S, Req> {
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Turn<S::Future, S::Error>> {
        if let Self::Waiting(queued) = self {
            let Some(waits) = queued.get() else { return Poll::Pending };
            let turn = ready!(waits.poll_turn(cx));
            *self = Self::Over;
            return Poll::Ready(turn);
        }
        match std::mem::replace(self, Self::Over) {
            Self::Refused(rejection) => Poll::Ready(Turn::Refused(rejection)),
            Self::Waiting(_) | Self::Over => Poll::Pending, // polled after it was ready
        }
    }
}

impl<S: Service<Req>, Req> Queued<S, Req> {
    /// Waits for the permits, and then with them for the inner service's readiness.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Turn<S::Future, S::Error>> {
        if self.held.is_none() {
            match ready!(self.waiting.as_mut().poll(cx)) {
                Ok(taken) => self.held = Some(taken.held()),
                Err(rejection) => return Poll::Ready(Turn::Refused(rejection)),
            }
        }
        if let Err(error) = ready!(self.inner.poll_ready(cx)) {
            return Poll::Ready(Turn::Unready(error));
        }
        match (self.held.take(), self.request.take()) {
            (Some(held), Some(request)) => Poll::Ready(Turn::Come(self.inner.call(request), held)),
            _ => Poll::Pending, // polled after it was ready
        }
    }
}

impl<S: Service<Req>, P, Cx, Req> fmt::Debug for ResponseFuture<S, P, Cx, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("bulkhead::ResponseFuture").finish_non_exhaustive()
    }
}
