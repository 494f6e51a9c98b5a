//! One call on one instance, which may have to get ready first.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tower_service::Service;

pin_project! {
    /// Waits for a service's readiness if need be, then calls it.
    #[project = OneshotProj]
    pub(crate) enum Oneshot<S, Req>
    where
        S: Service<Req>,
    {
        Waiting { waiting: Option<(S, Req)> },
        Called { #[pin] inner: S::Future },
        Done,
    }
}

impl<S: Service<Req>, Req> Oneshot<S, Req> {
    /// Calls a service that is ready, or takes the instance along that was asked and is not, and leaves a
    /// clone in its place.
    #[inline]
    pub(crate) fn new(service: &mut S, ready: bool, request: Req) -> Self
    where
        S: Clone,
    {
        if ready {
            return Self::Called { inner: service.call(request) };
        }
        let clone = service.clone();
        Self::Waiting { waiting: Some((std::mem::replace(service, clone), request)) }
    }

    /// Whether the service was called.
    pub(crate) fn is_called(&self) -> bool {
        matches!(self, Self::Called { .. })
    }
}

impl<S: Service<Req>, Req> Future for Oneshot<S, Req> {
    type Output = Result<S::Response, S::Error>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            match self.as_mut().project() {
                OneshotProj::Called { inner } => return inner.poll(cx),
                OneshotProj::Waiting { waiting } => {
                    let Some((service, _)) = waiting else { return Poll::Pending };
                    ready!(service.poll_ready(cx))?;
                    let Some((mut service, request)) = waiting.take() else { return Poll::Pending };
                    self.set(Self::Called { inner: service.call(request) });
                }
                OneshotProj::Done => return Poll::Pending, // polled after it was ready
            }
        }
    }
}
