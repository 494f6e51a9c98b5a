//! The response future of a fallback.

use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use portcullis_core::{Time, Verdict};
use tower_service::Service;

use super::{
    Instead, Keep, Why,
    cover::Brief,
    instead::Sent,
    policy::{FALLBACKS, Shared, Using},
};
use crate::{Protocol, apart::Apart, lead::Lead, oneshot::Oneshot};

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
        // Goes with the answer.
        fall: Apart<F>,
    }
}

/// What something else is answered with.
pub struct Fall<R, I, K, Req> {
    pub(super) lead: Lead,
    pub(super) brief: Brief,
    pub(super) replay: R,
    pub(super) instead: I,
    pub(super) kept: K,
    pub(super) deadline: Option<Time>,
    pub(super) request: PhantomData<fn(Req)>,
}

pin_project! {
    // Of two, so that one comparison tells which it is.
    #[project = StateProj]
    enum State<S, Q, A>
    where
        S: Service<Q>,
    {
        Called { #[pin] inner: S::Future },
        // Boxed, because few calls come here.
        Late { late: Apart<Pin<Box<Late<S, Q, A>>>> },
    }
}

pin_project! {
    /// What is seldom run.
    #[project = LateProj]
    enum Late<S, Q, A>
    where
        S: Service<Q>,
    {
        /// A call whose instance gets ready.
        Call { #[pin] call: Oneshot<S, Q> },
        Instead { #[pin] answer: A, using: Option<Using<Arc<Shared>>> },
    }
}

impl<S: Service<Q>, Q, A> State<S, Q, A> {
    fn late(late: Late<S, Q, A>) -> Self {
        Self::Late { late: Apart::new(Box::pin(late)) }
    }
}

impl<S: Service<Q>, Q, P, Cx, F, A> ResponseFuture<S, Q, P, Cx, F, A> {
    #[inline(always)]
    pub(super) fn called(inner: S::Future, protocol: P, context: Cx, fall: F) -> Self {
        Self { state: State::Called { inner }, protocol, context, fall: Apart::new(fall) }
    }

    /// For a call whose service was not ready for it.
    pub(super) fn uncalled(call: Oneshot<S, Q>, protocol: P, context: Cx, fall: F) -> Self {
        Self { state: State::late(Late::Call { call }), protocol, context, fall: Apart::new(fall) }
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
        let inner = match this.state.project() {
            StateProj::Called { inner } => inner,
            StateProj::Late { .. } => return self.poll_late(cx),
        };
        // Here, and one by one, so that a success is not moved to where the others are wanted.
        match ready!(inner.poll(cx)) {
            Ok(response) if is_success(this.protocol.judge(this.context, &response)) => {
                drop(this.fall.take());
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
    /// A call whose instance gets ready, or what is answered in its place.
    #[cold]
    #[inline(never)]
    fn poll_late(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<S::Response, P::Error>> {
        let this = self.as_mut().project();
        let StateProj::Late { late } = this.state.project() else { return Poll::Pending };
        let Some(late) = late.get() else { return Poll::Pending };
        match late.as_mut().project() {
            LateProj::Call { call } => match ready!(call.poll(cx)) {
                Ok(response) if is_success(this.protocol.judge(this.context, &response)) => {
                    Poll::Ready(Ok(response))
                }
                result => self.fall_back(result, cx),
            },
            LateProj::Instead { answer, using } => {
                let result = ready!(answer.poll(cx));
                if let Some(using) = using {
                    using.ended(result.is_ok());
                }
                Poll::Ready(result)
            }
        }
    }

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
        let Fall { lead, brief, replay, instead, kept, deadline, .. } = fall;
        let fallback = FALLBACKS.follow(lead);
        let covers = |why: &Why| fallback.as_ref().map_or_else(|| brief.covers(why), |it| it.covers(why));
        let why = Why::of(this.protocol, this.context, &result).filter(covers);
        let Some(why) = why else { return Poll::Ready(result) };
        let answer = instead.answer(kept, why.clone(), this.protocol, &replay, deadline);
        let Some(answer) = answer else {
            if let Some(fallback) = fallback {
                fallback.counts.not_replayable();
            }
            return Poll::Ready(result);
        };
        drop(result);
        let using = fallback.map(|fallback| Using::begin(fallback, &why));
        this.state.set(State::late(Late::Instead { answer, using }));
        self.poll_late(cx)
    }
}

impl<S: Service<Q>, Q, P, Cx, F, A> fmt::Debug for ResponseFuture<S, Q, P, Cx, F, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("fallback::ResponseFuture").finish_non_exhaustive()
    }
}
