//! Wrong about which instance is ready.

use std::task::{Context, Poll};

use tower::Service;

use crate::support::{Boxed, unit_layer};

unit_layer!(CallsAClone, ClonesForCall);

impl<S, Req> Service<Req> for ClonesForCall<S>
where
    S: Service<Req> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Req) -> S::Future {
        // Wrong: the clone was never polled ready.
        self.inner.clone().call(request)
    }
}

unit_layer!(RetriesUnready, Retrying);

impl<S, Req> Service<Req> for Retrying<S>
where
    S: Service<Req, Response: Send, Error: Send, Future: Send> + Clone + Send + 'static,
    Req: Clone + Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Boxed<S::Response, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let clone = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            match ready.call(request.clone()).await {
                // Wrong: the readiness was used up by the first attempt.
                Err(_) => ready.call(request).await,
                answer => answer,
            }
        })
    }
}
