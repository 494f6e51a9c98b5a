//! The response future of a retry.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use portcullis_core::{Failure, Verdict};
use tokio::time::Sleep;
use tower_service::Service;

use super::{Replay, policy::Call};
use crate::{Protocol, protocol::Attempt};

pin_project! {
    /// The response future of [`RetryService`](super::RetryService).
    ///
    /// A failed response is dropped before the wait for the next attempt, and with it its connection and
    /// permits. Dropping the future drops the attempt that runs.
    #[project = FutureProj]
    pub struct ResponseFuture<S, P, R, Cx, Req>
    where
        S: Service<R::Request>,
        R: Replay<Req>,
    {
        #[pin]
        state: State<S::Future>,
        service: S,
        protocol: P,
        context: Cx,
        replay: R,
        kept: R::Kept,
        next: Option<R::Request>,
        call: Call,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F> {
        /// An attempt runs.
        Called { #[pin] inner: F },
        /// Between two attempts. Boxed, because few calls come here.
        Waiting { timer: Pin<Box<Sleep>> },
        /// The next attempt's instance gets ready.
        Readying,
    }
}

impl<S, P, R, Cx, Req> ResponseFuture<S, P, R, Cx, Req>
where
    S: Service<R::Request>,
    R: Replay<Req>,
{
    pub(super) fn new(
        inner: S::Future,
        service: S,
        protocol: P,
        context: Cx,
        replay: R,
        kept: R::Kept,
        call: Call,
    ) -> Self {
        let state = State::Called { inner };
        Self { state, service, protocol, context, replay, kept, next: None, call }
    }
}

impl<S, P, R, Req> Future for ResponseFuture<S, P, R, P::Context, Req>
where
    R: Replay<Req>,
    S: Service<R::Request>,
    P: Protocol<R::Request, S::Response, S::Error>,
{
    type Output = Result<S::Response, P::Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let result = match this.state.as_mut().project() {
                StateProj::Called { inner } => ready!(inner.poll(cx)),
                _ => match ready!(this.poll_next(cx)) {
                    Ok(()) => continue,
                    Err(error) => Err(error),
                },
            };
            let result = result.map_err(|error| this.protocol.lift(error));
            let verdict = match &result {
                Ok(response) => this.protocol.judge(this.context, response),
                Err(error) => Some(this.protocol.judge_error(error)),
            };
            let Some(Verdict::Failure(failure)) = verdict else { return Poll::Ready(result) };
            let Some(wait) = this.again(&failure) else { return Poll::Ready(result) };
            drop(result);
            this.state.set(State::after(wait));
        }
    }
}

impl<S, P, R, Cx, Req> FutureProj<'_, S, P, R, Cx, Req>
where
    R: Replay<Req>,
    S: Service<R::Request>,
{
    /// Whether another attempt is to be made, and after which wait. Its request is then in `next`.
    #[cold]
    #[inline(never)]
    fn again(&mut self, failure: &Failure) -> Option<Duration> {
        if !self.call.may_retry(failure) {
            return None;
        }
        let request = self.next.take().or_else(|| self.replay.again(self.kept))?;
        let wait = self.call.spend(failure)?;
        *self.next = Some(request);
        Some(wait)
    }

    /// Waits for the next attempt's time and for its instance, and calls it.
    #[cold]
    #[inline(never)]
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>>
    where
        P: Protocol<R::Request, S::Response, S::Error>,
    {
        if let StateProj::Waiting { timer } = self.state.as_mut().project() {
            ready!(timer.as_mut().poll(cx));
            self.state.set(State::Readying);
        }
        ready!(self.service.poll_ready(cx))?;
        let Some(mut request) = self.next.take() else { return Poll::Pending };
        self.protocol.mark_attempt(&mut request, Attempt(self.call.attempts()));
        let inner = self.service.call(request);
        self.state.set(State::Called { inner });
        Poll::Ready(Ok(()))
    }
}

impl<F> State<F> {
    fn after(wait: Duration) -> Self {
        if wait.is_zero() {
            Self::Readying
        } else {
            Self::Waiting { timer: Box::pin(tokio::time::sleep(wait)) }
        }
    }
}

impl<S, P, R, Cx, Req> fmt::Debug for ResponseFuture<S, P, R, Cx, Req>
where
    S: Service<R::Request>,
    R: Replay<Req>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("retry::ResponseFuture").finish_non_exhaustive()
    }
}
