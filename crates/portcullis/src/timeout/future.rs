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
use crate::{Protocol, oneshot::Oneshot, protocol::future::finish, shard::Pinned};

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

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let settings = this.timeout.settings;
        // The answer wins a tie. But a call whose turn comes when its time is over is not sent any more.
        let over = || this.timer.as_ref().as_pin_ref().is_some_and(|timer| timer.is_elapsed());
        let unsent = !this.call.is_called() && over();
        let answer = if unsent { Poll::Pending } else { this.call.as_mut().poll(cx) };
        if let Poll::Ready(result) = answer {
            let context = this.context.clone();
            if !settings.whole_response {
                return Poll::Ready(finish(this.protocol, context, result, &mut None));
            }
            let armed = this.timer.as_ref().as_pin_ref().map(|timer| timer.deadline());
            let end = armed.unwrap_or_else(|| Instant::now() + settings.limit);
            let mut deadline = Some(BodyDeadline::new(this.timeout.clone(), end));
            return Poll::Ready(finish(this.protocol, context, result, &mut deadline));
        }
        if this.timer.is_none() {
            this.timer.set(Some(tokio::time::sleep(settings.limit)));
        }
        if let Some(timer) = this.timer.as_mut().as_pin_mut() {
            ready!(timer.poll(cx));
        }
        let sent = this.call.is_called();
        this.call.set(Oneshot::Done);
        Poll::Ready(this.protocol.refuse(this.context.clone(), this.timeout.reject(sent)))
    }
}

impl<S: Service<Req>, P, Cx, Req> fmt::Debug for ResponseFuture<S, P, Cx, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("timeout::ResponseFuture").finish_non_exhaustive()
    }
}
