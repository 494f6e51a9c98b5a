//! Wrong about response bodies.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::{Body, Frame};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::{Layer, Service};

use crate::support::Boxed;

/// Holds a permit until the response's body was read. It may never be.
#[derive(Clone)]
pub(crate) struct LeaksWithTheBody(Arc<Semaphore>);

impl LeaksWithTheBody {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

#[derive(Clone)]
pub(crate) struct HoldsForBody<S> {
    inner: S,
    permits: Arc<Semaphore>,
}

impl<S> Layer<S> for LeaksWithTheBody {
    type Service = HoldsForBody<S>;

    fn layer(&self, inner: S) -> Self::Service {
        HoldsForBody { inner, permits: Arc::clone(&self.0) }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for HoldsForBody<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>, Error: Send, Future: Send>
        + Clone
        + Send
        + 'static,
    ReqBody: Send + 'static,
    ResBody: Send,
{
    type Response = Response<HoldingBody<ResBody>>;
    type Error = S::Error;
    type Future = Boxed<Self::Response, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let clone = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, clone);
        let permits = Arc::clone(&self.permits);
        Box::pin(async move {
            let permit = Arc::clone(&permits).acquire_owned().await.unwrap();
            let response = ready.call(request).await?;
            // Wrong: from here on only the end of the body gives it back.
            OwnedSemaphorePermit::forget(permit);
            Ok(response.map(|inner| HoldingBody { inner, permits }))
        })
    }
}

pub(crate) struct HoldingBody<B> {
    inner: B,
    permits: Arc<Semaphore>,
}

impl<B: Body + Unpin> Body for HoldingBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(cx);
        if matches!(frame, Poll::Ready(None)) {
            self.permits.add_permits(1);
        }
        frame
    }
}
