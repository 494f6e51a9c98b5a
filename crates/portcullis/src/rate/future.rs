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
use crate::{
    Protocol,
    turn::{Late, Turn},
};

pin_project! {
    /// The response future of [`RateLimitService`](super::RateLimitService).
    ///
    /// Dropping it leaves the line, or drops the call. A permit that was taken is spent.
    pub struct ResponseFuture<S, P, Cx, Req, T>
    where
        S: Service<Req>,
    {
        #[pin]
        state: State<S::Future, S, Req>,
        protocol: P,
        context: Cx,
        told: Option<T>,
    }
}

pin_project! {
    // Of two, so that one comparison tells which it is.
    #[project = StateProj]
    enum State<F, S, Req> {
        Called { #[pin] inner: F },
        Late { late: Late<Waiting, S, Req> },
    }
}

impl<S: Service<Req>, P, Cx, Req, T> ResponseFuture<S, P, Cx, Req, T> {
    #[inline(always)]
    pub(super) fn running(inner: S::Future, protocol: P, context: Cx, told: Option<T>) -> Self {
        Self { state: State::Called { inner }, protocol, context, told }
    }

    pub(super) fn refused(rejection: Rejection, protocol: P, context: Cx, told: Option<T>) -> Self {
        Self { state: State::Late { late: Late::Refused(rejection) }, protocol, context, told }
    }

    pub(super) fn waiting(
        waiting: Waiting,
        inner: S,
        request: Req,
        protocol: P,
        context: Cx,
        told: Option<T>,
    ) -> Self {
        let late = Late::waiting(waiting, inner, request);
        Self { state: State::Late { late }, protocol, context, told }
    }
}

impl<S, P, Req, T> Future for ResponseFuture<S, P, P::Context, Req, T>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
    T: Told<P::Response<()>>,
{
    type Output = Result<P::Response<()>, P::Error>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.as_mut().project();
        match this.state.project() {
            StateProj::Called { inner } => match ready!(inner.poll(cx)) {
                Ok(response) => {
                    let mut response = this.protocol.complete(this.context.clone(), response, Some(()));
                    if let Some(told) = this.told {
                        told.tell(&mut response);
                    }
                    Poll::Ready(Ok(response))
                }
                Err(error) => Poll::Ready(Err(this.protocol.lift(error))),
            },
            StateProj::Late { .. } => self.poll_late(cx),
        }
    }
}

impl<S, P, Req, T> ResponseFuture<S, P, P::Context, Req, T>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
    T: Told<P::Response<()>>,
{
    /// Late => Called, when the turn has come; and what a call comes to that has none.
    #[cold]
    #[inline(never)]
    fn poll_late(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<<Self as Future>::Output> {
        let mut this = self.as_mut().project();
        let StateProj::Late { late } = this.state.as_mut().project() else { return Poll::Pending };
        match ready!(late.poll_turn(cx)) {
            Turn::Come(inner, ()) => {
                this.state.set(State::Called { inner });
                self.poll(cx)
            }
            Turn::Refused(rejection) => {
                let mut answer = this.protocol.refuse(this.context.clone(), rejection);
                if let (Ok(response), Some(told)) = (&mut answer, this.told) {
                    told.tell(response);
                }
                Poll::Ready(answer)
            }
            Turn::Unready(error) => Poll::Ready(Err(this.protocol.lift(error))),
        }
    }
}

impl<S: Service<Req>, P, Cx, Req, T> fmt::Debug for ResponseFuture<S, P, Cx, Req, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("rate::ResponseFuture").finish_non_exhaustive()
    }
}
