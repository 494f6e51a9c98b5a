//! The response future of load shedding.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use portcullis_core::Rejection;
use tower_service::Service;

use super::{ShedTicket, ticket::Held};
use crate::{Protocol, parked::Parked, protocol::future::fail};

pin_project! {
    /// The response future of [`LoadShedService`](super::LoadShedService).
    ///
    /// Dropping it takes the call off those in flight.
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

/// A call that did not begin at once.
enum Late<S, Req> {
    Unready(Parked<Unready<S, Req>>),
    Refused(Rejection),
    /// It came to something.
    Over,
}

/// A call whose inner service is not ready.
struct Unready<S, Req> {
    inner: S,
    /// Until the call begins.
    call: Option<(Req, Held)>,
}

impl<S: Service<Req>, P, Cx, Req> ResponseFuture<S, P, Cx, Req> {
    #[inline(always)]
    pub(super) fn running(inner: S::Future, protocol: P, context: Cx, held: Held) -> Self {
        Self { state: State::Running { inner, held }, protocol, context }
    }

    pub(super) fn unready(inner: S, request: Req, protocol: P, context: Cx, held: Held) -> Self {
        let late = Late::Unready(Parked::new(Unready { inner, call: Some((request, held)) }));
        Self { state: State::Late { late }, protocol, context }
    }

    pub(super) fn refused(rejection: Rejection, protocol: P, context: Cx) -> Self {
        Self { state: State::Late { late: Late::Refused(rejection) }, protocol, context }
    }
}

impl<S, P, Req> Future for ResponseFuture<S, P, P::Context, Req>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
{
    type Output = Result<P::Response<ShedTicket>, P::Error>;

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
    /// Late => Running, once the inner service is ready; and what a call comes to that does not begin.
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
        if let Self::Unready(unready) = self {
            let Some(waits) = unready.get() else { return Poll::Pending };
            let turn = ready!(waits.poll_turn(cx));
            *self = Self::Over;
            return Poll::Ready(turn);
        }
        match std::mem::replace(self, Self::Over) {
            Self::Refused(rejection) => Poll::Ready(Turn::Refused(rejection)),
            Self::Unready(_) | Self::Over => Poll::Pending, // polled after it was ready
        }
    }
}

impl<S: Service<Req>, Req> Unready<S, Req> {
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Turn<S::Future, S::Error>> {
        if let Err(error) = ready!(self.inner.poll_ready(cx)) {
            return Poll::Ready(Turn::Unready(error));
        }
        match self.call.take() {
            Some((request, held)) => Poll::Ready(Turn::Come(self.inner.call(request), held)),
            None => Poll::Pending, // polled after it was ready
        }
    }
}

impl<S: Service<Req>, P, Cx, Req> fmt::Debug for ResponseFuture<S, P, Cx, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("shed::ResponseFuture").finish_non_exhaustive()
    }
}
