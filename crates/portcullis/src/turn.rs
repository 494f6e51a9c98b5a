//! Calls that may have to wait for their turn.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use portcullis_core::Rejection;
use tower_service::Service;

use crate::{Protocol, Ticket, apart::Apart, parked::Parked, protocol::future::fail};

/// The wait of a call for its turn.
pub(crate) trait Wait {
    /// What the call holds from then on.
    type Held;

    /// Ready once, when the turn has come, or with the reason why it never will.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Held, Rejection>>;
}

/// What a call holds while it runs, in its future.
pub(crate) trait Hold {
    type Ticket: Ticket;

    /// The ticket, the first time, if there is one.
    fn take(&mut self) -> Option<Self::Ticket>;
}

impl<T: Ticket> Hold for Apart<T> {
    type Ticket = T;

    #[inline(always)]
    fn take(&mut self) -> Option<T> {
        self.take()
    }
}

/// Nothing is held, and nobody is told how the call ended.
impl Hold for () {
    type Ticket = ();

    #[inline(always)]
    fn take(&mut self) -> Option<()> {
        None
    }
}

/// A call that did not begin at once.
enum Late<W: Wait, S, Req> {
    Waiting(Parked<Queued<W, S, Req>>),
    Refused(Rejection),
    /// It came to something.
    Over,
}

/// All that a call needs when its turn comes.
struct Queued<W: Wait, S, Req> {
    /// `None` once the turn has come.
    wait: Option<W>,
    held: Option<W::Held>,
    inner: S,
    request: Option<Req>,
}

/// What a call came to that was late.
enum Turn<F, E, H> {
    Come(F, H),
    Refused(Rejection),
    Unready(E),
}

impl<W: Wait, S: Service<Req>, Req> Late<W, S, Req> {
    fn waiting(wait: W, inner: S, request: Req) -> Self {
        Self::Waiting(Parked::new(Queued { wait: Some(wait), held: None, inner, request: Some(request) }))
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Turn<S::Future, S::Error, W::Held>> {
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

impl<W: Wait, S: Service<Req>, Req> Queued<W, S, Req> {
    /// Waits for the turn, and then for the inner service's readiness.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Turn<S::Future, S::Error, W::Held>> {
        if let Some(wait) = &mut self.wait {
            match ready!(wait.poll_turn(cx)) {
                Ok(held) => (self.wait, self.held) = (None, Some(held)),
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

pin_project! {
    /// The future of a call that runs, waits for its turn, or is refused.
    ///
    /// Dropping it ends the wait, or gives back what is held.
    pub(crate) struct Entered<S, P, Cx, Req, W>
    where
        S: Service<Req>,
        W: Wait,
    {
        #[pin]
        state: State<S::Future, S, Req, W>,
        protocol: P,
        context: Cx,
    }
}

pin_project! {
    // Of two, so that one comparison tells which it is.
    #[project = StateProj]
    enum State<F, S, Req, W>
    where
        W: Wait,
    {
        Running { #[pin] inner: F, held: W::Held },
        Late { late: Late<W, S, Req> },
    }
}

impl<S: Service<Req>, P, Cx, Req, W: Wait> Entered<S, P, Cx, Req, W> {
    #[inline(always)]
    pub(crate) fn running(inner: S::Future, protocol: P, context: Cx, held: W::Held) -> Self {
        Self { state: State::Running { inner, held }, protocol, context }
    }

    pub(crate) fn refused(rejection: Rejection, protocol: P, context: Cx) -> Self {
        Self { state: State::Late { late: Late::Refused(rejection) }, protocol, context }
    }

    pub(crate) fn waiting(wait: W, inner: S, request: Req, protocol: P, context: Cx) -> Self {
        Self { state: State::Late { late: Late::waiting(wait, inner, request) }, protocol, context }
    }
}

impl<S, P, Req, W> Future for Entered<S, P, P::Context, Req, W>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
    W: Wait<Held: Hold>,
{
    type Output = Result<P::Response<<W::Held as Hold>::Ticket>, P::Error>;

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

impl<S, P, Req, W> Entered<S, P, P::Context, Req, W>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
    W: Wait<Held: Hold>,
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
