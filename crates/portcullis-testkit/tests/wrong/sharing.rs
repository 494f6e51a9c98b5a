//! Wrong about the services of one layer, and about requests.

use std::{
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll},
};

use portcullis_testkit::laws::Call;
use tower::{BoxError, Layer, Service};

use crate::support::Boxed;

/// Layering again takes the state away from the services made before.
#[derive(Clone, Default)]
pub(crate) struct NewestOnly(Arc<AtomicU32>);

#[derive(Clone)]
pub(crate) struct Numbered<S> {
    inner: S,
    number: u32,
    newest: Arc<AtomicU32>,
}

impl<S> Layer<S> for NewestOnly {
    type Service = Numbered<S>;

    fn layer(&self, inner: S) -> Self::Service {
        // Wrong: axum layers per route and connection.
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        Numbered { inner, number, newest: Arc::clone(&self.0) }
    }
}

impl<S, Req> Service<Req> for Numbered<S>
where
    S: Service<Req, Response: Send + 'static, Error: Into<BoxError>, Future: Send + 'static>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Boxed<S::Response, BoxError>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Req) -> Self::Future {
        if self.number < self.newest.load(Ordering::Relaxed) {
            return Box::pin(ready(Err("another service has taken over".into())));
        }
        let answer = self.inner.call(request);
        Box::pin(async move { answer.await.map_err(Into::into) })
    }
}

/// Another request.
pub(crate) fn changed(call: Call) -> Call {
    Call(call.0 + 1)
}
