//! A service whose dependency is probed.

use std::task::{Context, Poll};

use tower_service::Service;

use super::Probe;

/// A service whose dependency is probed; calls pass by unchanged. It keeps the [`Probe`] going.
#[derive(Clone, Debug)]
pub struct ProbeService<S> {
    inner: S,
    probe: Probe,
}

impl<S> ProbeService<S> {
    pub(super) fn new(inner: S, probe: Probe) -> Self {
        Self { inner, probe }
    }

    /// The probe.
    pub fn probe(&self) -> &Probe {
        &self.probe
    }
}

impl<S: Service<Req>, Req> Service<Req> for ProbeService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Req) -> S::Future {
        self.inner.call(request)
    }
}
