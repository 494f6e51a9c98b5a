//! One call on one instance, which may have to get ready first.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tower_service::Service;

use crate::parked::Parked;

pin_project! {
    /// Waits for a service's readiness if need be, then calls it.
    // Of two, so that one comparison tells which it is.
    #[project = OneshotProj]
    pub(crate) enum Oneshot<S, Req>
    where
        S: Service<Req>,
    {
        Called { #[pin] inner: S::Future },
        Uncalled { waiting: Parked<Waiting<S, Req>> },
    }
}

/// An instance that gets ready.
pub(crate) struct Waiting<S, Req> {
    service: S,
    request: Option<Req>,
}

impl<S: Service<Req>, Req> Oneshot<S, Req> {
    /// Calls a service that is ready, or takes the instance along that was asked and is not, and leaves a
    /// clone in its place.
    #[inline(always)]
    pub(crate) fn new(service: &mut S, ready: bool, request: Req) -> Self
    where
        S: Clone,
    {
        if ready { Self::Called { inner: service.call(request) } } else { Self::later(service, request) }
    }

    #[cold]
    #[inline(never)]
    fn later(service: &mut S, request: Req) -> Self
    where
        S: Clone,
    {
        let clone = service.clone();
        Self::unready(std::mem::replace(service, clone), request)
    }

    /// Takes an instance that has to get ready.
    pub(crate) fn unready(service: S, request: Req) -> Self {
        Self::Uncalled { waiting: Parked::new(Waiting { service, request: Some(request) }) }
    }

    /// Whether the service was called.
    pub(crate) fn is_called(&self) -> bool {
        matches!(self, Self::Called { .. })
    }

    /// Drops the call, whatever has become of it.
    pub(crate) fn end(mut self: Pin<&mut Self>) {
        self.set(Self::Uncalled { waiting: Parked::none() });
    }

    /// The service's future, once it was called.
    #[inline(always)]
    pub(crate) fn called(self: Pin<&mut Self>) -> Option<Pin<&mut S::Future>> {
        match self.project() {
            OneshotProj::Called { inner } => Some(inner),
            OneshotProj::Uncalled { .. } => None,
        }
    }

    /// Uncalled => Called, when the service is ready.
    #[cold]
    #[inline(never)]
    pub(crate) fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        let OneshotProj::Uncalled { waiting } = self.as_mut().project() else { return Poll::Ready(Ok(())) };
        let Some(Waiting { service, request }) = waiting.get() else { return Poll::Pending }; // ended
        ready!(service.poll_ready(cx))?;
        let Some(request) = request.take() else { return Poll::Pending };
        let inner = service.call(request);
        self.set(Self::Called { inner });
        Poll::Ready(Ok(()))
    }
}

impl<S: Service<Req>, Req> Future for Oneshot<S, Req> {
    type Output = Result<S::Response, S::Error>;

    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.is_called() {
            ready!(self.as_mut().poll_ready(cx))?;
        }
        match self.called() {
            Some(inner) => inner.poll(cx),
            None => Poll::Pending,
        }
    }
}
