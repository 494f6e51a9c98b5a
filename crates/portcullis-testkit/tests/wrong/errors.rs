//! Wrong about the inner service's errors.

use std::{
    future::ready,
    task::{Context, Poll},
};

use tower::{BoxError, Service, ServiceExt};

use crate::support::{Boxed, unit_layer};

unit_layer!(HidesTheSource, Opaque);

impl<S, Req> Service<Req> for Opaque<S>
where
    S: Service<Req, Error: ToString, Response: Send, Future: Send + 'static> + Clone + Send + 'static,
    Req: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Boxed<S::Response, BoxError>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(|error| error.to_string().into())
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let answer = self.inner.call(request);
        // Wrong: a text is all that is left of the error.
        Box::pin(async move { answer.await.map_err(|error| error.to_string().into()) })
    }
}

unit_layer!(SwallowsReadinessErrors, Swallowing);

impl<S, Req> Service<Req> for Swallowing<S>
where
    S: Service<Req, Error: Into<BoxError> + Send, Response: Send + 'static, Future: Send + 'static>
        + Clone
        + Send
        + 'static,
    Req: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Boxed<S::Response, BoxError>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let mut inner = self.inner.clone();
        Box::pin(async move {
            match inner.ready().await {
                Ok(inner) => inner.call(request).await.map_err(Into::into),
                // Wrong: why it is not ready is lost.
                Err(_) => ready(Err("the service is not ready".into())).await,
            }
        })
    }
}
