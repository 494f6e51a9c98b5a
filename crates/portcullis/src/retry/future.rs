//! The response future of a retry.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use pin_project_lite::pin_project;
use portcullis_core::{Failure, GrpcCode, Verdict};
use tokio::time::Sleep;
use tower_service::Service;

use super::{Replay, RetryCall, Stop};
use crate::{Protocol, apart::Apart};

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
        protocol: P,
        context: Cx,
        again: Option<Again<S, R, R::Kept, R::Request>>,
    }
}

/// What further attempts are made with.
pub(super) struct Again<S, R, K, Q> {
    pub(super) service: S,
    pub(super) replay: R,
    pub(super) kept: K,
    /// The request of the next attempt.
    pub(super) next: Option<Q>,
    pub(super) call: RetryCall,
}

pin_project! {
    // Of two, so that one comparison tells which it is.
    #[project = StateProj]
    enum State<F> {
        /// An attempt runs.
        Called { #[pin] inner: F },
        /// Between two attempts: the timer, or none when the next attempt's instance gets ready. Boxed, because
        /// few calls come here.
        Between { timer: Apart<Pin<Box<Sleep>>> },
    }
}

impl<S, P, R, Cx, Req> ResponseFuture<S, P, R, Cx, Req>
where
    S: Service<R::Request>,
    R: Replay<Req>,
{
    #[inline(always)]
    pub(super) fn new(
        inner: S::Future,
        protocol: P,
        context: Cx,
        again: Option<Again<S, R, R::Kept, R::Request>>,
    ) -> Self {
        Self { state: State::Called { inner }, protocol, context, again }
    }
}

impl<S, P, R, Req> Future for ResponseFuture<S, P, R, P::Context, Req>
where
    R: Replay<Req>,
    S: Service<R::Request>,
    P: Protocol<R::Request, S::Response, S::Error>,
{
    type Output = Result<S::Response, P::Error>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.as_mut().project();
        let inner = match this.state.project() {
            StateProj::Called { inner } => inner,
            StateProj::Between { .. } => return self.go_on(None, cx),
        };
        // Here, and one by one, so that a success is not moved to where the others are wanted.
        match ready!(inner.poll(cx)) {
            Ok(response) if is_success(this.protocol, this.context, this.again, &response) => {
                Poll::Ready(Ok(response))
            }
            Ok(response) => self.go_on(Some(Ok(response)), cx),
            Err(error) => self.go_on(Some(Err(error)), cx),
        }
    }
}

/// Whether there is nothing to be decided, because the attempt succeeded or there is no other; records that it
/// succeeded.
#[inline(always)]
fn is_success<S, P, R, Res, Err, K, Q>(
    protocol: &P,
    context: &P::Context,
    again: &mut Option<Again<S, R, K, Q>>,
    response: &Res,
) -> bool
where
    P: Protocol<Q, Res, Err>,
{
    let Some(again) = again else { return true };
    match protocol.judge(context, response) {
        None | Some(Verdict::Success) if again.call.is_plain() => return true,
        // What only its end will tell is committed with its head (gRFC A6).
        None | Some(Verdict::Success) if !again.call.goes_by_code() => {}
        None | Some(Verdict::Success) if protocol.grpc_status(response).is_none() => {}
        _ => return false,
    }
    again.call.succeeded();
    true
}

impl<S, P, R, Req> ResponseFuture<S, P, R, P::Context, Req>
where
    R: Replay<Req>,
    S: Service<R::Request>,
    P: Protocol<R::Request, S::Response, S::Error>,
{
    /// From an attempt that did not succeed, or one that was begun on the way, until there is an answer.
    #[cold]
    #[inline(never)]
    fn go_on(
        self: Pin<&mut Self>,
        mut ended: Option<Result<S::Response, S::Error>>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<S::Response, P::Error>> {
        let mut this = self.project();
        loop {
            let result = match ended.take() {
                Some(result) => result,
                None => ready!(this.poll_attempt(cx)),
            };
            let result = result.map_err(|error| this.protocol.lift(error));
            let Some(wait) = this.again(&result) else { return Poll::Ready(result) };
            drop(result);
            this.state.set(State::after(wait));
        }
    }
}

impl<S, P, R, Req> FutureProj<'_, S, P, R, P::Context, Req>
where
    R: Replay<Req>,
    S: Service<R::Request>,
    P: Protocol<R::Request, S::Response, S::Error>,
{
    fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<Result<S::Response, S::Error>> {
        loop {
            if let StateProj::Called { inner } = self.state.as_mut().project() {
                return inner.poll(cx);
            }
            if let Err(error) = ready!(self.poll_next(cx)) {
                return Poll::Ready(Err(error));
            }
        }
    }

    /// Whether another attempt is to be made, and after which wait. Its request is then in `next`.
    fn again(&mut self, result: &Result<S::Response, P::Error>) -> Option<Duration> {
        let again = self.again.as_mut()?;
        let (failure, code) = match Ended::of(self.protocol, self.context, result, &again.call) {
            Ended::Failed(failure, code) => (failure, code),
            Ended::Succeeded => {
                again.call.succeeded();
                return None;
            }
            Ended::Neither => return None,
        };
        let plan = again.call.plan(&failure, code).ok()?;
        let Some(request) = again.next.take().or_else(|| again.replay.again(&again.kept)) else {
            again.call.stopped(Stop::NotReplayable);
            return None;
        };
        again.next = Some(request);
        again.call.take(&failure, plan).ok()
    }

    /// Waits for the next attempt's time and for its instance, and calls it.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        if let StateProj::Between { timer } = self.state.as_mut().project() {
            if let Some(sleep) = timer.get() {
                ready!(sleep.as_mut().poll(cx));
                *timer = Apart::none();
            }
        }
        let Some(again) = self.again else { return Poll::Pending };
        ready!(again.service.poll_ready(cx))?;
        let Some(mut request) = again.next.take() else { return Poll::Pending };
        let attempt = again.call.attempt();
        self.protocol.mark_attempt(&mut request, attempt);
        again.replay.mark(&mut request, attempt);
        if let Some(deadline) = again.call.ends() {
            self.protocol.mark_deadline(&mut request, deadline);
        }
        let inner = again.service.call(request);
        self.state.set(State::Called { inner });
        Poll::Ready(Ok(()))
    }
}

/// What a result is to a call.
enum Ended {
    Failed(Failure, Option<GrpcCode>),
    Succeeded,
    /// It says nothing.
    Neither,
}

impl Ended {
    fn of<P, Req, Res, Err>(
        protocol: &P,
        context: &P::Context,
        result: &Result<Res, P::Error>,
        call: &RetryCall,
    ) -> Self
    where
        P: Protocol<Req, Res, Err>,
    {
        let (verdict, refusal, status) = match result {
            Ok(response) => (
                protocol.judge(context, response),
                protocol.refusal_in(response),
                protocol.grpc_status(response),
            ),
            Err(error) => match protocol.judge_error(error) {
                Verdict::Failure(failure) => return Self::Failed(failure, None),
                verdict => (Some(verdict), protocol.refusal_in_error(error), None),
            },
        };
        match (verdict, refusal, status) {
            (Some(Verdict::Failure(failure)), _, status) => {
                Self::Failed(failure, status.map(|(code, _)| code))
            }
            (_, Some(refusal), _) => {
                call.failure_of(refusal).map_or(Self::Neither, |failure| Self::Failed(failure, None))
            }
            (_, None, Some((code, failure))) if call.is_retried(code) => Self::Failed(failure, Some(code)),
            (None | Some(Verdict::Success), ..) => Self::Succeeded,
            (Some(Verdict::Ignored), ..) => Self::Neither,
        }
    }
}

impl<F> State<F> {
    fn after(wait: Duration) -> Self {
        let timer =
            if wait.is_zero() { Apart::none() } else { Apart::new(Box::pin(tokio::time::sleep(wait))) };
        Self::Between { timer }
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
