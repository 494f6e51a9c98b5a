//! The response future of a timeout.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep};
use tower_service::Service;

use super::{policy::Shared, ticket::BodyDeadline};
use crate::{Protocol, apart::Apart, oneshot::Oneshot, shard::Pinned};

pin_project! {
    /// The response future of [`TimeoutService`](super::TimeoutService).
    ///
    /// When the time is over, the inner future is dropped before this one answers. An answer that comes
    /// together with the end of the time wins.
    pub struct ResponseFuture<S, P, Cx, Req>
    where
        S: Service<Req>,
    {
        #[pin]
        call: Oneshot<S, Req>,
        #[pin]
        timer: Option<Sleep>,
        // Goes with the answer.
        timeout: Apart<Pinned<Shared>>,
        protocol: P,
        context: Cx,
    }
}

impl<S: Service<Req>, P, Cx, Req> ResponseFuture<S, P, Cx, Req> {
    #[inline(always)]
    pub(super) fn new(call: Oneshot<S, Req>, timeout: Pinned<Shared>, protocol: P, context: Cx) -> Self {
        Self { call, timer: None, timeout: Apart::new(timeout), protocol, context }
    }
}

impl<S, P, Req> Future for ResponseFuture<S, P, P::Context, Req>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
{
    type Output = Result<P::Response<BodyDeadline>, P::Error>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.as_mut().project();
        let Some(inner) = this.call.as_mut().called() else { return self.poll_uncalled(cx) };
        // The answer wins a tie. It is looked at here, so that an error is not looked at before it is one.
        match inner.poll(cx) {
            Poll::Ready(Ok(response)) => {
                let deadline = match this.timeout.take() {
                    Some(timeout) if timeout.settings.times_body() => {
                        Some(deadline(timeout, this.timer.as_ref()))
                    }
                    _ => None,
                };
                Poll::Ready(Ok(this.protocol.complete(this.context.clone(), response, deadline)))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(this.protocol.lift(error))),
            Poll::Pending => self.poll_timer(cx),
        }
    }
}

/// What ends the response's body when its time is over.
#[cold]
#[inline(never)]
fn deadline(timeout: Pinned<Shared>, timer: Pin<&Option<Sleep>>) -> BodyDeadline {
    let armed = timer.as_pin_ref().map(|timer| timer.deadline());
    let limit = timeout.settings.limit;
    BodyDeadline::of_response(timeout, || armed.unwrap_or_else(|| Instant::now() + limit))
}

impl<S, P, Req> ResponseFuture<S, P, P::Context, Req>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
{
    /// For a call whose service was not ready for it.
    #[cold]
    #[inline(never)]
    fn poll_uncalled(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<<Self as Future>::Output> {
        let mut this = self.as_mut().project();
        // A call whose turn comes when its time is over is not sent any more.
        if this.timer.as_ref().as_pin_ref().is_some_and(|timer| timer.is_elapsed()) {
            return self.poll_timer(cx);
        }
        match this.call.as_mut().poll_ready(cx) {
            Poll::Ready(Ok(())) => self.poll(cx),
            Poll::Ready(Err(error)) => Poll::Ready(Err(this.protocol.lift(error))),
            Poll::Pending => self.poll_timer(cx),
        }
    }

    /// Refused when the time is over; the call is dropped by then.
    #[inline(never)]
    fn poll_timer(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<<Self as Future>::Output> {
        let mut this = self.project();
        let Some(timeout) = this.timeout.get() else { return Poll::Pending }; // polled after it was ready
        if this.timer.is_none() {
            this.timer.set(Some(tokio::time::sleep(timeout.settings.limit)));
        }
        if let Some(timer) = this.timer.as_mut().as_pin_mut() {
            ready!(timer.poll(cx));
        }
        let sent = this.call.is_called();
        this.call.end();
        let rejection = timeout.reject(sent);
        Poll::Ready(this.protocol.refuse(this.context.clone(), rejection))
    }
}

impl<S: Service<Req>, P, Cx, Req> fmt::Debug for ResponseFuture<S, P, Cx, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("timeout::ResponseFuture").finish_non_exhaustive()
    }
}
