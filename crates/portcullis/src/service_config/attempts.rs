//! A call that goes by its method's policy.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::{
    coded::Coded,
    table::{How, Method},
};
use crate::{
    HedgeLayer, Protocol, RetryLayer, hedge,
    retry::{self, Replay},
};

/// A call before its first attempt.
pub(super) struct Call<S, P, R, Req> {
    /// The instance that was asked whether it is ready.
    pub(super) service: S,
    pub(super) protocol: P,
    pub(super) replay: R,
    pub(super) method: Option<Arc<Method>>,
    pub(super) request: Req,
}

pin_project! {
    /// A call that is made once, retried or hedged.
    #[project = AttemptsProj]
    pub(super) enum Attempts<S, P, R, Req>
    where
        S: Service<R::Request>,
        R: Replay<Req>,
        P: Protocol<R::Request, S::Response, S::Error>,
    {
        // The instance gets ready.
        Waiting { call: Option<Call<S, P, R, Req>> },
        Once { #[pin] inner: S::Future, protocol: P },
        Retried { #[pin] inner: retry::ResponseFuture<S, P, R, P::Context, Req> },
        Hedged { #[pin] inner: hedge::ResponseFuture<S, Coded<P>, R, Req, P::Context, P::Error> },
        Done,
    }
}

impl<S, P, R, Req> Call<S, P, R, Req>
where
    R: Replay<Req> + Clone,
    S: Service<R::Request> + Clone,
    P: Protocol<R::Request, S::Response, S::Error> + Clone,
{
    /// Makes the first attempt, on the instance that is ready.
    pub(super) fn begin(self) -> Attempts<S, P, R, Req> {
        let Self { mut service, protocol, replay, method, request } = self;
        match method.map(|method| method.how.clone()) {
            None | Some(How::Once) => Attempts::Once { inner: service.call(replay.once(request)), protocol },
            Some(How::Retried(policy)) => {
                let layer = RetryLayer::new(policy).protocol(protocol).replay(replay);
                Attempts::Retried { inner: layer.layer(service).call(request) }
            }
            Some(How::Hedged(hedge, non_fatal)) => {
                // Who hedges a method says by that that it may be processed twice.
                let layer = HedgeLayer::new(hedge).protocol(Coded { protocol, non_fatal }).replay(replay);
                Attempts::Hedged { inner: layer.idempotent().layer(service).call(request) }
            }
        }
    }
}

impl<S, P, R, Req> Attempts<S, P, R, Req>
where
    R: Replay<Req>,
    S: Service<R::Request>,
    P: Protocol<R::Request, S::Response, S::Error>,
{
    /// Whether nothing was sent yet.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self, Self::Waiting { .. })
    }
}

impl<S, P, R, Req> Future for Attempts<S, P, R, Req>
where
    R: Replay<Req> + Clone,
    S: Service<R::Request> + Clone,
    P: Protocol<R::Request, S::Response, S::Error> + Clone,
{
    type Output = Result<S::Response, P::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            match self.as_mut().project() {
                AttemptsProj::Once { inner, protocol } => {
                    return inner.poll(cx).map_err(|error| protocol.lift(error));
                }
                AttemptsProj::Retried { inner } => return inner.poll(cx),
                AttemptsProj::Hedged { inner } => return inner.poll(cx),
                AttemptsProj::Waiting { call } => {
                    let Some(waiting) = call else { return Poll::Pending };
                    let ready = ready!(waiting.service.poll_ready(cx));
                    ready.map_err(|error| waiting.protocol.lift(error))?;
                    let Some(call) = call.take() else { return Poll::Pending };
                    // Waiting => Once, Retried or Hedged
                    self.set(call.begin());
                }
                AttemptsProj::Done => return Poll::Pending, // polled after it was ready
            }
        }
    }
}
