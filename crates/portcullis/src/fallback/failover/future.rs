//! The response future of a failover.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use portcullis_core::{Time, Verdict};
use tower_service::Service;

use super::{policy::Next, service::Chain};
use crate::{Protocol, clock, fallback::Why, oneshot::Oneshot, replay::Replay, shard::Pinned};

pin_project! {
    /// The response future of [`Failover`](super::Failover).
    ///
    /// A failed response is dropped before the next provider is called. Dropping the future drops the call that
    /// runs.
    #[project = FutureProj]
    pub struct ResponseFuture<S, R, P, Cx, Req>
    where
        S: Service<R::Request>,
        R: Replay<Req>,
    {
        #[pin]
        call: Oneshot<S, R::Request>,
        protocol: P,
        context: Cx,
        rest: Rest<S, R, R::Kept>,
    }
}

/// What the next providers are called with.
pub(super) struct Rest<S, R, K> {
    pub(super) chain: Pinned<Chain<S>>,
    pub(super) replay: R,
    pub(super) kept: K,
    pub(super) deadline: Option<Time>,
    /// The number of the provider that was asked last.
    pub(super) asked: usize,
}

impl<S, R, P, Cx, Req> ResponseFuture<S, R, P, Cx, Req>
where
    S: Service<R::Request>,
    R: Replay<Req>,
{
    #[inline(always)]
    pub(super) fn new(
        call: Oneshot<S, R::Request>,
        protocol: P,
        context: Cx,
        rest: Rest<S, R, R::Kept>,
    ) -> Self {
        Self { call, protocol, context, rest }
    }
}

impl<S, R, P, Req> Future for ResponseFuture<S, R, P, P::Context, Req>
where
    R: Replay<Req>,
    S: Service<R::Request> + Clone,
    P: Protocol<R::Request, S::Response, S::Error>,
{
    type Output = Result<S::Response, P::Error>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let this = self.as_mut().project();
            let result = ready!(this.call.poll(cx));
            match result {
                Ok(response) if is_success(this.protocol.judge(this.context, &response)) => {
                    return Poll::Ready(Ok(response));
                }
                result => {
                    if let Some(result) = self.as_mut().go_on(result) {
                        return Poll::Ready(result);
                    }
                }
            }
        }
    }
}

/// Whether nobody else needs to be asked; what only its end will tell is committed with its head.
fn is_success(verdict: Option<Verdict>) -> bool {
    matches!(verdict, None | Some(Verdict::Success))
}

impl<S, R, P, Req> ResponseFuture<S, R, P, P::Context, Req>
where
    R: Replay<Req>,
    S: Service<R::Request> + Clone,
    P: Protocol<R::Request, S::Response, S::Error>,
{
    /// Asks the next provider; gives the result back where that is the answer.
    #[cold]
    #[inline(never)]
    fn go_on(
        self: Pin<&mut Self>,
        result: Result<S::Response, S::Error>,
    ) -> Option<Result<S::Response, P::Error>> {
        let mut this = self.project();
        let result = result.map_err(|error| this.protocol.lift(error));
        match this.rest.next(Why::of(this.protocol, this.context, &result)) {
            Some((service, mut request)) => {
                drop(result);
                if let Some(deadline) = this.rest.deadline {
                    this.protocol.mark_deadline(&mut request, deadline);
                }
                this.call.set(Oneshot::unready(service, request));
                None
            }
            None => Some(result),
        }
    }
}

impl<S: Clone, R, K> Rest<S, R, K> {
    /// The next provider with its request, if it is to be asked.
    fn next<Req>(&mut self, why: Option<Why>) -> Option<(S, R::Request)>
    where
        R: Replay<Req, Kept = K>,
    {
        let (why, policies) = (why?, &self.chain.policies);
        let last = self.asked + 1 >= self.chain.len;
        let Next::Ask = policies.next(&why, last) else { return None };
        if self.deadline.is_some_and(|deadline| clock::now() >= deadline) {
            policies.over_time();
            return None;
        }
        let Some(request) = self.replay.again(&self.kept) else {
            policies.not_replayable();
            return None;
        };
        let service = self.chain.instance(self.asked + 1)?;
        policies.passed_on(self.asked, &why);
        self.asked += 1;
        Some((service, request))
    }
}

impl<S, R, P, Cx, Req> fmt::Debug for ResponseFuture<S, R, P, Cx, Req>
where
    S: Service<R::Request>,
    R: Replay<Req>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("failover::ResponseFuture").finish_non_exhaustive()
    }
}
