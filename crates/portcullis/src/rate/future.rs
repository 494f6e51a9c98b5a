//! The response future of a rate limit.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use portcullis_core::Rejection;
use tower_service::Service;

use super::{tell::Told, waiting::Waiting};
use crate::{Protocol, protocol};

pin_project! {
    /// The response future of [`RateLimitService`](super::RateLimitService).
    ///
    /// Dropping it leaves the line, or drops the call. A permit that was taken is spent.
    pub struct ResponseFuture<S, P, Cx, Req, T>
    where
        S: Service<Req>,
    {
        #[pin]
        state: State<S, P, Cx, Req>,
        told: Option<T>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, P, Cx, Req>
    where
        S: Service<Req>,
    {
        Waiting { queued: Option<Box<Queued<S, P, Cx, Req>>> },
        Called { #[pin] future: protocol::ResponseFuture<S::Future, P, Cx, (), Req> },
    }
}

/// All that a call needs when its turn comes.
struct Queued<S, P, Cx, Req> {
    /// `None` once the turn has come.
    waiting: Option<Waiting>,
    inner: S,
    request: Req,
    protocol: P,
    context: Cx,
}

impl<S: Service<Req>, P, Cx, Req, T> ResponseFuture<S, P, Cx, Req, T> {
    #[inline(always)]
    pub(super) fn running(inner: S::Future, protocol: P, context: Cx, told: Option<T>) -> Self {
        let future = protocol::ResponseFuture::running(inner, protocol, context, ());
        Self { state: State::Called { future }, told }
    }

    pub(super) fn refused(rejection: Rejection, protocol: P, context: Cx, told: Option<T>) -> Self {
        let future = protocol::ResponseFuture::refused(rejection, protocol, context);
        Self { state: State::Called { future }, told }
    }

    pub(super) fn waiting(
        waiting: Waiting,
        inner: S,
        request: Req,
        protocol: P,
        context: Cx,
        told: Option<T>,
    ) -> Self {
        let queued = Box::new(Queued { waiting: Some(waiting), inner, request, protocol, context });
        Self { state: State::Waiting { queued: Some(queued) }, told }
    }
}

impl<S, P, Req, T> Future for ResponseFuture<S, P, P::Context, Req, T>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
    T: Told<P::Response<()>>,
{
    type Output = Result<P::Response<()>, P::Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut state = this.state;
        if let State::Waiting { .. } = *state {
            if let Some(error) = ready!(state.as_mut().poll_turn(cx)) {
                return Poll::Ready(Err(error));
            }
        }
        let mut answer = match state.project() {
            StateProj::Called { future } => ready!(future.poll(cx)),
            StateProj::Waiting { .. } => return Poll::Pending, // polled after it was ready
        };
        if let (Ok(response), Some(told)) = (&mut answer, this.told) {
            told.tell(response);
        }
        Poll::Ready(answer)
    }
}

impl<S, P, Req> State<S, P, P::Context, Req>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
{
    /// Waiting => Called, when the turn has come; ready with the error of a service that is never ready.
    #[cold]
    #[inline(never)]
    fn poll_turn(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<P::Error>> {
        let StateProj::Waiting { queued } = self.as_mut().project() else { return Poll::Ready(None) };
        let Some(waits) = queued else { return Poll::Pending };
        let readiness = ready!(waits.poll_turn(cx));
        let Some(waits) = queued.take().map(|waits| *waits) else { return Poll::Pending };
        Poll::Ready(match readiness {
            Ok(()) => {
                self.set(State::Called { future: waits.go() });
                None
            }
            Err(error) => Some(waits.protocol.lift(error)),
        })
    }
}

impl<S: Service<Req>, P, Cx, Req> Queued<S, P, Cx, Req> {
    /// Waits for the permits, and then with them for the inner service's readiness.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        if let Some(waiting) = &mut self.waiting {
            ready!(waiting.poll(cx));
            self.waiting = None;
        }
        self.inner.poll_ready(cx)
    }

    /// The turn has come, and the inner service is ready.
    fn go(mut self) -> protocol::ResponseFuture<S::Future, P, Cx, (), Req> {
        let inner = self.inner.call(self.request);
        protocol::ResponseFuture::running(inner, self.protocol, self.context, ())
    }
}

impl<S: Service<Req>, P, Cx, Req, T> fmt::Debug for ResponseFuture<S, P, Cx, Req, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("rate::ResponseFuture").finish_non_exhaustive()
    }
}
