//! The response future of chaos.

use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use portcullis_core::{
    FailureKind,
    chaos::{End, Plan},
};
use tokio::time::Sleep;

use super::{ChaosTicket, policy::Shared};
use crate::{Protocol, protocol::future::finish, shard::Pinned};

pin_project! {
    /// The response future of [`ChaosService`](super::ChaosService).
    ///
    /// Dropping it drops the call, if there is one.
    pub struct ResponseFuture<F, P, Cx, Req, Res, Err> {
        #[pin]
        state: State<F>,
        protocol: P,
        context: Cx,
        // Boxed, because it is seldom there.
        met: Option<Box<Met<Res, Err>>>,
        request: PhantomData<fn(Req)>,
    }
}

/// What a call meets, and what it ends with after its wait.
struct Met<Res, Err> {
    shared: Pinned<Shared>,
    plan: Plan,
    /// Of the inner service, or the response to meet.
    result: Option<Result<Res, Err>>,
}

pin_project! {
    #[project = StateProj]
    enum State<F> {
        Called { #[pin] inner: F },
        /// The call has ended, or was never made, and waits to be told.
        Late { timer: Option<Pin<Box<Sleep>>> },
    }
}

impl<F, P, Cx, Req, Res, Err> ResponseFuture<F, P, Cx, Req, Res, Err> {
    #[inline(always)]
    pub(super) fn plain(inner: F, protocol: P, context: Cx) -> Self {
        Self { state: State::Called { inner }, protocol, context, met: None, request: PhantomData }
    }

    pub(super) fn called(inner: F, protocol: P, context: Cx, shared: Pinned<Shared>, plan: Plan) -> Self {
        let met = Some(Box::new(Met { shared, plan, result: None }));
        Self { met, ..Self::plain(inner, protocol, context) }
    }

    pub(super) fn ending(
        response: Option<Res>,
        protocol: P,
        context: Cx,
        shared: Pinned<Shared>,
        plan: Plan,
    ) -> Self {
        let state = State::late(&plan);
        let met = Some(Box::new(Met { shared, plan, result: response.map(Ok) }));
        Self { state, protocol, context, met, request: PhantomData }
    }
}

impl<F> State<F> {
    fn late(plan: &Plan) -> Self {
        let timer = (!plan.latency.is_zero()).then(|| Box::pin(tokio::time::sleep(plan.latency)));
        Self::Late { timer }
    }
}

impl<F, P, Req, Res, Err> Future for ResponseFuture<F, P, P::Context, Req, Res, Err>
where
    F: Future<Output = Result<Res, Err>>,
    P: Protocol<Req, Res, Err>,
{
    type Output = Result<P::Response<ChaosTicket>, P::Error>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.as_mut().project();
        if let StateProj::Called { inner } = this.state.as_mut().project() {
            let result = ready!(inner.poll(cx));
            let Some(met) = this.met else {
                return Poll::Ready(finish(this.protocol, this.context.clone(), result, None));
            };
            // Called => Late
            met.result = Some(result);
            let late = State::late(&met.plan);
            this.state.set(late);
        }
        self.poll_late(cx)
    }
}

impl<F, P, Req, Res, Err> ResponseFuture<F, P, P::Context, Req, Res, Err>
where
    F: Future<Output = Result<Res, Err>>,
    P: Protocol<Req, Res, Err>,
{
    /// Waits, and tells then how the call ended.
    #[cold]
    #[inline(never)]
    fn poll_late(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<P::Response<ChaosTicket>, P::Error>> {
        let this = self.project();
        if let StateProj::Late { timer: Some(timer) } = this.state.project() {
            ready!(timer.as_mut().poll(cx));
        }
        if this.met.as_ref().is_none_or(|met| met.plan.end == Some(End::Hang)) {
            return Poll::Pending; // nobody will wake it, which is the fault; or polled after it was ready
        }
        let Some(met) = this.met.take() else { return Poll::Pending };
        let Met { shared, plan, result } = *met;
        let kind = match plan.end {
            Some(End::Error(kind)) => kind,
            Some(End::Panic) => shared.panic(),
            _ => FailureKind::Internal,
        };
        match result.filter(|_| matches!(plan.end, None | Some(End::Response))) {
            Some(result) => {
                let ticket = ChaosTicket::new(&shared, &plan);
                Poll::Ready(finish(this.protocol, this.context.clone(), result, ticket))
            }
            None => Poll::Ready(this.protocol.refuse(this.context.clone(), shared.failure(kind))),
        }
    }
}

impl<F, P, Cx, Req, Res, Err> fmt::Debug for ResponseFuture<F, P, Cx, Req, Res, Err> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("chaos::ResponseFuture").finish_non_exhaustive()
    }
}
