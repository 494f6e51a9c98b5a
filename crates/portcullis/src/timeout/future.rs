//! The response future of a timeout.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use portcullis_core::Verdict;
use tower_service::Service;

use super::{ticket::BodyDeadline, watch::Watch};
use crate::{Protocol, oneshot::Oneshot};

pin_project! {
    /// The response future of [`TimeoutService`](super::TimeoutService).
    ///
    /// When the time is over, the inner future is dropped before this one answers. An answer that comes
    /// together with the end of the time wins.
    pub struct ResponseFuture<S, P, Cx, Req>
    where
        S: Service<Req>,
    {
        // Dropped first: after what may panic, it would have to be dropped once more.
        watch: Watch,
        #[pin]
        call: Oneshot<S, Req>,
        protocol: P,
        context: Cx,
    }
}

impl<S: Service<Req>, P, Cx, Req> ResponseFuture<S, P, Cx, Req> {
    #[inline(always)]
    pub(super) fn new(call: Oneshot<S, Req>, watch: Watch, protocol: P, context: Cx) -> Self {
        Self { call, watch, protocol, context }
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
                if this.watch.timing().minds_answers() {
                    return Poll::Ready(Ok(self.answered(response)));
                }
                // Here, where it is known to be there, and not where the future is dropped.
                this.watch.let_go();
                let context = this.context.clone();
                Poll::Ready(Ok(this.protocol.complete(context, response, None::<BodyDeadline>)))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(this.protocol.lift(error))),
            Poll::Pending => self.poll_timer(cx),
        }
    }
}

impl<S, P, Req> ResponseFuture<S, P, P::Context, Req>
where
    S: Service<Req>,
    P: Protocol<Req, S::Response, S::Error>,
{
    /// For a call whose answer counts, whose body is timed, or which was pending.
    #[inline(never)]
    fn answered(self: Pin<&mut Self>, response: S::Response) -> P::Response<BodyDeadline> {
        let this = self.project();
        let timing = this.watch.timing();
        // How soon something fails says nothing of how long it takes.
        if timing.is_adaptive()
            && matches!(this.protocol.judge(this.context, &response), None | Some(Verdict::Success))
        {
            this.watch.answered();
        }
        let held = this.watch.end_timer();
        let deadline = held
            .filter(|_| timing.times_body())
            .map(|held| BodyDeadline::of_response(held, timing, this.watch.end()));
        this.protocol.complete(this.context.clone(), response, deadline)
    }

    /// For a call whose service was not ready for it.
    #[cold]
    #[inline(never)]
    fn poll_uncalled(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<<Self as Future>::Output> {
        let this = self.as_mut().project();
        // A call whose turn comes when its time is over is not sent any more.
        if this.watch.is_over() {
            if let Poll::Ready(refusal) = self.as_mut().late() {
                return Poll::Ready(refusal);
            }
        }
        let mut this = self.as_mut().project();
        match this.call.as_mut().poll_ready(cx) {
            Poll::Ready(Ok(())) => self.poll(cx),
            Poll::Ready(Err(error)) => Poll::Ready(Err(this.protocol.lift(error))),
            Poll::Pending => self.poll_timer(cx),
        }
    }

    /// Refused when the time is over; the call is dropped by then.
    #[inline(never)]
    fn poll_timer(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<<Self as Future>::Output> {
        let this = self.as_mut().project();
        ready!(this.watch.poll(cx));
        self.late()
    }

    #[cold]
    #[inline(never)]
    fn late(self: Pin<&mut Self>) -> Poll<<Self as Future>::Output> {
        let this = self.project();
        let Some(rejection) = this.watch.late(this.call.is_called()) else { return Poll::Pending };
        this.call.end();
        Poll::Ready(this.protocol.refuse(this.context.clone(), rejection))
    }
}

impl<S: Service<Req>, P, Cx, Req> fmt::Debug for ResponseFuture<S, P, Cx, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("timeout::ResponseFuture").finish_non_exhaustive()
    }
}
