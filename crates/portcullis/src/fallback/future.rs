//! The response future of a fallback.

use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use portcullis_core::Verdict;
use tower_service::Service;

use super::{
    Instead, Keep, Why,
    instead::Sent,
    policy::{Shared, Using},
};
use crate::{Protocol, oneshot::Oneshot, shard::Pinned};

pin_project! {
    /// The response future of [`FallbackService`](super::FallbackService).
    ///
    /// A failed response is dropped before something else is answered. Dropping the future drops what runs.
    #[project = FutureProj]
    pub struct ResponseFuture<S, Q, P, Cx, F, A>
    where
        S: Service<Q>,
    {
        #[pin]
        state: State<S, Q, A>,
        protocol: P,
        context: Cx,
        fall: Option<F>,
    }
}

/// What something else is answered with.
pub struct Fall<R, I, K, Req> {
    pub(super) fallback: Pinned<Shared>,
    pub(super) replay: R,
    pub(super) instead: I,
    pub(super) kept: K,
    pub(super) request: PhantomData<fn(Req)>,
}

pin_project! {
    #[project = StateProj]
    enum State<S, Q, A>
    where
        S: Service<Q>,
    {
        Called { #[pin] call: Oneshot<S, Q> },
        Instead { #[pin] answer: A, using: Using<Pinned<Shared>> },
    }
}

impl<S: Service<Q>, Q, P, Cx, F, A> ResponseFuture<S, Q, P, Cx, F, A> {
    #[inline(always)]
    pub(super) fn new(call: Oneshot<S, Q>, protocol: P, context: Cx, fall: F) -> Self {
        Self { state: State::Called { call }, protocol, context, fall: Some(fall) }
    }
}

impl<S, P, R, I, Req> Future
    for ResponseFuture<
        S,
        Sent<I, Req, R>,
        P,
        P::Context,
        Fall<R, I, <I as Keep<Req, R>>::Kept, Req>,
        I::Future,
    >
where
    S: Service<Sent<I, Req, R>>,
    P: Protocol<Sent<I, Req, R>, S::Response, S::Error>,
    I: Keep<Req, R> + Instead<Req, S::Response, P, R, P::Error>,
{
    type Output = Result<S::Response, P::Error>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.as_mut().project();
        let result = match this.state.project() {
            StateProj::Called { call } => ready!(call.poll(cx)),
            StateProj::Instead { answer, using } => {
                let result = ready!(answer.poll(cx));
                using.ended(result.is_ok());
                return Poll::Ready(result);
            }
        };
        match result {
            Ok(response) if is_success(this.protocol.judge(this.context, &response)) => {
                Poll::Ready(Ok(response))
            }
            Ok(response) => self.fall_back(Ok(response), cx),
            Err(error) => self.fall_back(Err(error), cx),
        }
    }
}

/// Whether there is nothing to be covered; what only its end will tell is committed with its head.
#[inline(always)]
fn is_success(verdict: Option<Verdict>) -> bool {
    matches!(verdict, None | Some(Verdict::Success))
}

impl<S, P, R, I, Req>
    ResponseFuture<S, Sent<I, Req, R>, P, P::Context, Fall<R, I, <I as Keep<Req, R>>::Kept, Req>, I::Future>
where
    S: Service<Sent<I, Req, R>>,
    P: Protocol<Sent<I, Req, R>, S::Response, S::Error>,
    I: Keep<Req, R> + Instead<Req, S::Response, P, R, P::Error>,
{
    /// Called => Instead, if what became of the call is covered.
    #[cold]
    #[inline(never)]
    fn fall_back(
        mut self: Pin<&mut Self>,
        result: Result<S::Response, S::Error>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<S::Response, P::Error>> {
        let mut this = self.as_mut().project();
        let result = result.map_err(|error| this.protocol.lift(error));
        let Some(fall) = this.fall.take() else { return Poll::Ready(result) };
        let Fall { fallback, replay, instead, kept, .. } = fall;
        let why = Why::of(this.protocol, this.context, &result).filter(|why| fallback.covers(why));
        let Some(why) = why else { return Poll::Ready(result) };
        let Some(answer) = instead.answer(kept, why.clone(), this.protocol, &replay) else {
            fallback.counts.not_replayable();
            return Poll::Ready(result);
        };
        drop(result);
        this.state.set(State::Instead { answer, using: Using::begin(fallback, &why) });
        self.poll(cx)
    }
}

impl<S: Service<Q>, Q, P, Cx, F, A> fmt::Debug for ResponseFuture<S, Q, P, Cx, F, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("fallback::ResponseFuture").finish_non_exhaustive()
    }
}
