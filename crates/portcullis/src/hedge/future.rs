//! The response future of a hedge.

mod race;

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;
use portcullis_core::{Failure, Verdict};
use tower_service::Service;

use super::{
    call::{Call, Ticket, When},
    running::{Maybe, Others},
};
use crate::{Protocol, oneshot::Oneshot, replay::Replay};

pin_project! {
    /// The response future of [`HedgeService`](super::HedgeService).
    ///
    /// Losers are dropped before it is ready with an answer. Dropping it drops all attempts.
    #[project = FutureProj]
    pub struct ResponseFuture<S, P, R, Req, Cx, E>
    where
        S: Service<R::Request>,
        R: Replay<Req>,
    {
        // The first attempt, while it runs.
        #[pin]
        first: Option<S::Future>,
        // Its context and error are parameters of their own: a protocol is for an error type, and the compiler
        // forgets that a `BoxError` is `'static` when it asks whether a task that holds this is `Send`.
        protocol: P,
        context: Cx,
        // `None` for a call that is not hedged.
        hedging: Option<HedgingOf<S, R, Req, E>>,
    }
}

/// What further attempts are made with.
pub(super) struct Hedging<S: Service<Q>, R, K, Q, E> {
    service: S,
    replay: R,
    kept: K,
    call: Call,
    // Boxed, because few calls come here.
    others: Maybe<Others<S, Q, E>>,
}

type HedgingOf<S, R, Req, E> = Hedging<S, R, <R as Replay<Req>>::Kept, <R as Replay<Req>>::Request, E>;

impl<S: Service<Q>, R, K, Q, E> Hedging<S, R, K, Q, E> {
    #[inline(always)]
    pub(super) fn new(service: S, replay: R, kept: K, call: Call) -> Self {
        Self { service, replay, kept, call, others: Maybe::NONE }
    }
}

impl<S, P, R, Req, Cx, E> ResponseFuture<S, P, R, Req, Cx, E>
where
    S: Service<R::Request>,
    R: Replay<Req>,
{
    #[inline(always)]
    pub(super) fn new(
        first: S::Future,
        protocol: P,
        context: Cx,
        hedging: Option<HedgingOf<S, R, Req, E>>,
    ) -> Self {
        Self { first: Some(first), protocol, context, hedging }
    }
}

impl<S, P, R, Req> Future for ResponseFuture<S, P, R, Req, P::Context, P::Error>
where
    R: Replay<Req>,
    S: Service<R::Request> + Clone,
    P: Protocol<R::Request, S::Response, S::Error>,
{
    type Output = Result<S::Response, P::Error>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(first) = this.first.as_mut().as_pin_mut() {
            if let Poll::Ready(result) = first.poll(cx) {
                let result = result.map_err(|error| this.protocol.lift(error));
                if this.is_plain(&result) {
                    return Poll::Ready(result);
                }
                this.first.set(None);
                if let Some(result) = this.ended(result, None) {
                    return Poll::Ready(result);
                }
            }
        }
        this.poll_others(cx)
    }
}

impl<S, P, R, Req> FutureProj<'_, S, P, R, Req, P::Context, P::Error>
where
    R: Replay<Req>,
    S: Service<R::Request> + Clone,
    P: Protocol<R::Request, S::Response, S::Error>,
{
    /// Whether there is nothing to be decided, because the first attempt succeeded or the call is not hedged.
    /// The other attempts are gone then.
    #[inline(always)]
    fn is_plain(&mut self, result: &Result<S::Response, P::Error>) -> bool {
        let Some(hedging) = self.hedging else { return true };
        let Ok(response) = result else { return false };
        match self.protocol.judge(self.context, response) {
            // What only its end will tell is committed with its head (gRFC A6).
            None | Some(Verdict::Success) => {}
            _ => return false,
        }
        hedging.call.first_succeeded();
        hedging.others.clear();
        true
    }

    #[inline(always)]
    fn poll_others(&mut self, cx: &mut Context<'_>) -> Poll<Result<S::Response, P::Error>> {
        let Some(hedging) = self.hedging else { return Poll::Pending };
        if hedging.others.get().is_some() {
            return self.poll_race(cx);
        }
        if hedging.call.when == When::Unplanned {
            self.plan();
        }
        // All that most calls see of this.
        if self.is_due(cx) { self.poll_race(cx) } else { Poll::Pending }
    }

    /// With other attempts, now or in a moment.
    #[cold]
    #[inline(never)]
    fn poll_race(&mut self, cx: &mut Context<'_>) -> Poll<Result<S::Response, P::Error>> {
        loop {
            if let Some(result) = self.poll_running(cx) {
                return Poll::Ready(result);
            }
            if self.hedging.as_ref().is_some_and(|hedging| hedging.call.when == When::Unplanned) {
                self.plan();
            }
            if !self.is_due(cx) {
                return Poll::Pending;
            }
            self.send();
        }
    }

    /// Says when the next attempt is sent.
    #[inline(always)]
    fn plan(&mut self) {
        let Some(hedging) = self.hedging else { return };
        match hedging.call.delay() {
            Some(delay) => hedging.call.arm(delay),
            None => hedging.call.when = When::Never,
        }
    }

    /// Whether it is time for the next attempt.
    #[inline(always)]
    fn is_due(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(hedging) = self.hedging else { return false };
        match hedging.call.when {
            When::Armed => {
                let due = hedging.call.poll_wait(cx).is_ready();
                if due {
                    // What was waited for is not waited for again while the other attempts are polled.
                    hedging.call.when = When::Now;
                }
                due
            }
            when => when == When::Now,
        }
    }

    /// Sends the next attempt, if there is one.
    #[cold]
    #[inline(never)]
    fn send(&mut self) {
        let Some((mut request, mut ticket)) = self.prepared() else { return };
        let Some(Hedging { service, replay, call, others, .. }) = self.hedging else { return };
        let Some(attempt) = call.send(&mut ticket) else { return };
        self.protocol.mark_attempt(&mut request, attempt);
        replay.mark(&mut request, attempt);
        if let Some(deadline) = call.ends() {
            self.protocol.mark_deadline(&mut request, deadline);
        }
        call.when = When::Unplanned;
        let oneshot = Oneshot::new(service, false, request);
        others.get_or(Others::none).send(oneshot, ticket);
    }

    /// The attempt to be sent: the one that was taken before, or one that is taken now. Without one there is
    /// none any more, until another attempt fails.
    fn prepared(&mut self) -> Option<(R::Request, Ticket)> {
        let hedging = self.hedging.as_mut()?;
        hedging.call.is_late();
        hedging.call.when = When::Never;
        let prepared = hedging.others.get_mut().and_then(|others| others.prepared.take());
        prepared.or_else(|| self.prepare(None))
    }

    /// Takes another attempt.
    fn prepare(&mut self, failure: Option<&Failure>) -> Option<(R::Request, Ticket)> {
        let others_run = self.is_running();
        let Hedging { replay, kept, call, .. } = self.hedging.as_mut()?;
        if !call.may_send() {
            return None;
        }
        let request = if others_run { replay.beside(kept) } else { replay.again(kept) };
        let Some(request) = request else {
            call.not_replayable();
            return None;
        };
        Some((request, call.borrow(failure)?))
    }
}

impl<S, P, R, Req, Cx, E> fmt::Debug for ResponseFuture<S, P, R, Req, Cx, E>
where
    S: Service<R::Request>,
    R: Replay<Req>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("hedge::ResponseFuture").finish_non_exhaustive()
    }
}
