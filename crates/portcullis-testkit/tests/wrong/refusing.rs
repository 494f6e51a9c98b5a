//! Refuses in the wrong place.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll},
};

use tower::{BoxError, Layer, Service};

use crate::support::Boxed;

/// A breaker that opens after three failures, and says so in `poll_ready`.
#[derive(Clone, Default)]
pub(crate) struct RefusesInPollReady(Arc<AtomicU32>);

#[derive(Clone)]
pub(crate) struct Breaking<S> {
    inner: S,
    failures: Arc<AtomicU32>,
}

impl<S> Layer<S> for RefusesInPollReady {
    type Service = Breaking<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Breaking { inner, failures: Arc::clone(&self.0) }
    }
}

impl<S, Req> Service<Req> for Breaking<S>
where
    S: Service<Req, Error: Into<BoxError>, Future: Send + 'static>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Boxed<S::Response, BoxError>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if self.failures.load(Ordering::Relaxed) >= 3 {
            // Wrong: callers take this for the end of the service.
            return Poll::Ready(Err("open".into()));
        }
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let answer = self.inner.call(request);
        let failures = Arc::clone(&self.failures);
        Box::pin(async move {
            answer.await.map_err(|error| {
                failures.fetch_add(1, Ordering::Relaxed);
                error.into()
            })
        })
    }
}
