//! The response future of a timeout.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use portcullis_core::{Time, Verdict};
use tower_service::Service;

use super::{policy::Shared, ticket::BodyDeadline, timer::Timer, word::Timing};
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
        timer: Timer,
        timing: Timing,
        // Goes with the answer.
        timeout: Apart<Pinned<Shared>>,
        protocol: P,
        context: Cx,
    }
}

impl<S: Service<Req>, P, Cx, Req> ResponseFuture<S, P, Cx, Req> {
    #[inline(always)]
    pub(super) fn new(
        call: Oneshot<S, Req>,
        timeout: Pinned<Shared>,
        (timing, began): (Timing, Time),
        protocol: P,
        context: Cx,
    ) -> Self {
        Self { call, timer: Timer::new(began), timing, timeout: Apart::new(timeout), protocol, context }
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
                if this.timing.minds_answers() {
                    return Poll::Ready(Ok(self.answered(response)));
                }
                // Here, where it is known to be there, and not where the future is dropped.
                drop(this.timeout.take());
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
    /// For a call whose answer counts, or whose body is timed.
    #[cold]
    #[inline(never)]
    fn answered(self: Pin<&mut Self>, response: S::Response) -> P::Response<BodyDeadline> {
        let this = self.project();
        let (timing, timer) = (*this.timing, this.timer.as_ref());
        let mut deadline = None;
        if let Some(timeout) = this.timeout.take() {
            let judge = || this.protocol.judge(this.context, &response);
            // How soon something fails says nothing of how long it takes.
            if timing.is_adaptive() && matches!(judge(), None | Some(Verdict::Success)) {
                timeout.took(timeout.shard(), timer.took(timing));
            }
            if timing.times_body() {
                deadline = Some(BodyDeadline::of_response(timeout, timing, || timer.end(timing)));
            }
        }
        this.protocol.complete(this.context.clone(), response, deadline)
    }

    /// For a call whose service was not ready for it.
    #[cold]
    #[inline(never)]
    fn poll_uncalled(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<<Self as Future>::Output> {
        let this = self.as_mut().project();
        // A call whose turn comes when its time is over is not sent any more.
        if !this.timing.is_off() && this.timer.as_ref().is_over() {
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
        let timing = *this.timing;
        if timing.is_off() {
            return Poll::Pending;
        }
        ready!(this.timer.poll(timing, cx));
        self.late()
    }

    #[cold]
    #[inline(never)]
    fn late(self: Pin<&mut Self>) -> Poll<<Self as Future>::Output> {
        let this = self.project();
        let Some(timeout) = this.timeout.get() else { return Poll::Pending }; // polled after it was ready
        let timing = *this.timing;
        let (limit, scope, sent) = (timing.limit(), timing.scope(), this.call.is_called());
        if timing.is_sparing() && !timeout.enforces(limit, scope, sent) {
            // How long it takes in the end is known then.
            *this.timing = timing.off();
            return Poll::Pending;
        }
        if timing.is_adaptive() {
            timeout.took(timeout.shard(), limit);
        }
        this.call.end();
        let rejection = timeout.reject(limit, scope, sent);
        Poll::Ready(this.protocol.refuse(this.context.clone(), rejection))
    }
}

impl<S: Service<Req>, P, Cx, Req> fmt::Debug for ResponseFuture<S, P, Cx, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("timeout::ResponseFuture").finish_non_exhaustive()
    }
}
