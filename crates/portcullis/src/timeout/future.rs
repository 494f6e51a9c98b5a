//! The response future of a timeout.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use portcullis_core::Rejection;
use tokio::time::{Instant, Sleep};
use tower_service::Service;

use super::{policy::Shared, ticket::BodyDeadline};
use crate::{Protocol, oneshot::Oneshot, shard::Pinned};

pin_project! {
    /// The response future of [`TimeoutService`](super::TimeoutService).
    ///
    /// When the time is over, the inner future is dropped before this one answers. An answer that comes
    /// together with the end of the time wins.
    #[project = FutureProj]
    pub struct ResponseFuture<S, P, Cx, Req>
    where
        S: Service<Req>,
    {
        #[pin]
        call: Oneshot<S, Req>,
        #[pin]
        timer: Option<Sleep>,
        timeout: Pinned<Shared>,
        protocol: P,
        context: Cx,
    }
}

impl<S: Service<Req>, P, Cx, Req> ResponseFuture<S, P, Cx, Req> {
    pub(super) fn new(call: Oneshot<S, Req>, timeout: Pinned<Shared>, protocol: P, context: Cx) -> Self {
        Self { call, timer: None, timeout, protocol, context }
    }
}

impl<S, P, Req> Future for ResponseFuture<S, P, P::Context, Req>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
{
    type Output = Result<P::Response<BodyDeadline>, P::Error>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // The answer wins a tie. But a call whose turn comes when its time is over is not sent any more.
        let over = || this.timer.as_ref().as_pin_ref().is_some_and(|timer| timer.is_elapsed());
        let unsent = !this.call.is_called() && over();
        let answer = if unsent { Poll::Pending } else { this.call.as_mut().poll(cx) };
        match answer {
            Poll::Ready(Ok(response)) => {
                let deadline = if this.timeout.settings.whole_response { this.deadline() } else { None };
                Poll::Ready(Ok(this.protocol.complete(this.context.clone(), response, deadline)))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(this.protocol.lift(error))),
            Poll::Pending => {
                let rejection = ready!(this.poll_timer(cx));
                Poll::Ready(this.protocol.refuse(this.context.clone(), rejection))
            }
        }
    }
}

impl<S: Service<Req>, P, Cx, Req> FutureProj<'_, S, P, Cx, Req> {
    /// Ready when the time is over; the call is dropped by then.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<Rejection> {
        if self.timer.is_none() {
            self.timer.set(Some(tokio::time::sleep(self.timeout.settings.limit)));
        }
        if let Some(timer) = self.timer.as_mut().as_pin_mut() {
            ready!(timer.poll(cx));
        }
        let sent = self.call.is_called();
        self.call.set(Oneshot::Done);
        Poll::Ready(self.timeout.reject(sent))
    }

    /// What ends the response's body when the time is over.
    #[cold]
    #[inline(never)]
    fn deadline(&self) -> Option<BodyDeadline> {
        let armed = self.timer.as_ref().as_pin_ref().map(|timer| timer.deadline());
        let end = armed.unwrap_or_else(|| Instant::now() + self.timeout.settings.limit);
        Some(BodyDeadline::new(self.timeout.clone(), end))
    }
}

impl<S: Service<Req>, P, Cx, Req> fmt::Debug for ResponseFuture<S, P, Cx, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("timeout::ResponseFuture").finish_non_exhaustive()
    }
}
