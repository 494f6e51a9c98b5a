//! The response future of a retry.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use portcullis_core::{Failure, GrpcCode, Verdict};
use tower_service::Service;

use super::{Replay, RetryCall, Stop};
use crate::{Protocol, apart::Held};

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
        state: State<S::Future, R::Request>,
        protocol: P,
        context: Cx,
        again: Held<Again<S, R, R::Kept>>,
    }
}

/// What further attempts are made with.
pub(super) struct Again<S, R, K> {
    pub(super) service: S,
    pub(super) replay: R,
    pub(super) kept: K,
    pub(super) call: RetryCall,
}

pin_project! {
    // Of two, so that one comparison tells which it is.
    #[project = StateProj]
    enum State<F, Q> {
        /// An attempt runs.
        Called { #[pin] inner: F },
        /// Between two attempts: the request of the next.
        Between { next: Option<Q> },
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
        again: Option<Again<S, R, R::Kept>>,
    ) -> Self {
        Self { state: State::Called { inner }, protocol, context, again: Held::new(again) }
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
/// succeeded. Nearly always there is nothing to record, and what further attempts would need is let go here,
/// where that is known, and not with the future.
#[inline(always)]
fn is_success<S, P, R, Res, Err, K, Q>(
    protocol: &P,
    context: &P::Context,
    again: &mut Held<Again<S, R, K>>,
    response: &Res,
) -> bool
where
    P: Protocol<Q, Res, Err>,
{
    let Some(Again { call, .. }) = again.get() else { return true };
    match protocol.judge(context, response) {
        None | Some(Verdict::Success) if call.is_plain() => again.clear(),
        // What only its end will tell is committed with its head (gRFC A6).
        None | Some(Verdict::Success) if !call.goes_by_code() => call.succeeded(),
        None | Some(Verdict::Success) if protocol.grpc_status(response).is_none() => call.succeeded(),
        _ => return false,
    }
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
                None => match ready!(this.poll_attempt(cx)) {
                    Ok(Ok(response)) if is_success(this.protocol, this.context, this.again, &response) => {
                        // Here, where it is known to be there, and not where the future is dropped.
                        this.again.clear();
                        return Poll::Ready(Ok(response));
                    }
                    Ok(result) => result,
                    Err(over) => return Poll::Ready(Err(over)),
                },
            };
            let result = result.map_err(|error| this.protocol.lift(error));
            let Some(request) = this.again(&result) else { return Poll::Ready(result) };
            drop(result);
            // With its connection and permits, before anything is waited for.
            this.state.set(State::Between { next: Some(request) });
        }
    }
}

impl<S, P, R, Req> FutureProj<'_, S, P, R, P::Context, Req>
where
    R: Replay<Req>,
    S: Service<R::Request>,
    P: Protocol<R::Request, S::Response, S::Error>,
{
    /// How the attempt ended; else with what the call ends, because it is too late for the attempt.
    fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<Attempted<S::Response, S::Error, P::Error>> {
        loop {
            if let StateProj::Called { inner } = self.state.as_mut().project() {
                return inner.poll(cx).map(Ok);
            }
            if let Err(error) = ready!(self.poll_next(cx))? {
                return Poll::Ready(Ok(Err(error)));
            }
        }
    }

    /// With what another attempt is to be made, if there is one; it waits for its time.
    #[inline(always)]
    fn again(&mut self, result: &Result<S::Response, P::Error>) -> Option<R::Request> {
        let again = self.again.get()?;
        let (failure, code) = match Ended::of(self.protocol, self.context, result, &again.call) {
            Ended::Failed(failure, code) => (failure, code),
            Ended::Succeeded => {
                again.call.succeeded();
                return None;
            }
            Ended::Neither => return None,
        };
        if !again.call.is_made_at_once(&failure) {
            return again_later(self.state.as_mut(), again, &failure, code);
        }
        let Some(request) = request_of(self.state.as_mut(), again) else {
            again.call.not_replayable(failure.kind);
            return None;
        };
        again.call.take_at_once(failure.kind).ok()?;
        Some(request)
    }

    /// Waits for the next attempt's time and for its instance, and calls it, unless it would come too late.
    #[inline(always)]
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Attempted<(), S::Error, P::Error>> {
        let Some(Again { call, service, .. }) = self.again.get() else { return Poll::Pending };
        ready!(call.poll_wait(cx));
        let is_ready = service.poll_ready(cx);
        if let Poll::Ready(Err(error)) = is_ready {
            return Poll::Ready(Ok(Err(error)));
        }
        if call.is_over() || (is_ready.is_pending() && call.poll_over(cx).is_ready()) {
            if let Some(error) = self.over() {
                return Poll::Ready(Err(error));
            }
        }
        if is_ready.is_ready() { self.call_next() } else { Poll::Pending }
    }

    /// Ends the call before its next attempt, where the protocol has an error for it. What the instance may have
    /// reserved is given up with it.
    #[cold]
    fn over(&mut self) -> Option<P::Error> {
        let again = self.again.get()?;
        let error = self.protocol.error_of(again.call.over())?;
        again.call.stopped_before_it();
        self.again.clear();
        Some(error)
    }

    fn call_next(&mut self) -> Poll<Attempted<(), S::Error, P::Error>> {
        let StateProj::Between { next } = self.state.as_mut().project() else { return Poll::Pending };
        let Some(again) = self.again.get() else { return Poll::Pending };
        let Some(mut request) = next.take() else { return Poll::Pending };
        let attempt = again.call.attempt();
        self.protocol.mark_attempt(&mut request, attempt);
        again.replay.mark(&mut request, attempt);
        if let Some(deadline) = again.call.ends() {
            self.protocol.mark_deadline(&mut request, deadline);
        }
        let inner = again.service.call(request);
        self.state.set(State::Called { inner });
        Poll::Ready(Ok(Ok(())))
    }
}

/// The same after a failure of which more is to be known.
#[cold]
#[inline(never)]
fn again_later<F, S, R, Req>(
    state: Pin<&mut State<F, R::Request>>,
    again: &mut Again<S, R, R::Kept>,
    failure: &Failure,
    code: Option<GrpcCode>,
) -> Option<R::Request>
where
    R: Replay<Req>,
{
    let plan = again.call.plan(failure, code).ok()?;
    let Some(request) = request_of(state, again) else {
        again.call.stopped(Stop::NotReplayable);
        return None;
    };
    let wait = again.call.take(failure, plan).ok()?;
    again.call.wait(wait);
    Some(request)
}

/// The request of the next attempt: one that was not sent, because no instance got ready for it, or another.
fn request_of<F, S, R, Req>(
    state: Pin<&mut State<F, R::Request>>,
    again: &Again<S, R, R::Kept>,
) -> Option<R::Request>
where
    R: Replay<Req>,
{
    let unsent = match state.project() {
        StateProj::Between { next } => next.take(),
        StateProj::Called { .. } => None,
    };
    unsent.or_else(|| again.replay.again(&again.kept))
}

/// How an attempt ended; else with what its call ends, because it could not be made in time.
type Attempted<Res, Below, Over> = Result<Result<Res, Below>, Over>;

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

impl<S, P, R, Cx, Req> fmt::Debug for ResponseFuture<S, P, R, Cx, Req>
where
    S: Service<R::Request>,
    R: Replay<Req>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("retry::ResponseFuture").finish_non_exhaustive()
    }
}
