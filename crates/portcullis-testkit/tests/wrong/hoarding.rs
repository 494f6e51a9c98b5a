//! Keeps readiness beyond its call.

use std::{
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use tower::{Layer, Service, ServiceExt};

use crate::support::Boxed;

/// Keeps the instance of a service's last call ready for its next.
#[derive(Clone)]
pub(crate) struct KeepsWarm;

pub(crate) struct Warm<S> {
    inner: S,
    warm: Arc<Mutex<Option<S>>>,
}

impl<S: Clone> Clone for Warm<S> {
    fn clone(&self) -> Self {
        KeepsWarm.layer(self.inner.clone())
    }
}

impl<S> Layer<S> for KeepsWarm {
    type Service = Warm<S>;

    fn layer(&self, inner: S) -> Warm<S> {
        Warm { inner, warm: Arc::default() }
    }
}

impl<S, Req> Service<Req> for Warm<S>
where
    S: Service<Req, Response: Send, Error: Send, Future: Send> + Clone + Send + 'static,
    Req: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Boxed<S::Response, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        if let Some(warm) = self.warm.lock().unwrap().take() {
            self.inner = warm;
        }
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let clone = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, clone);
        let slot = Arc::downgrade(&self.warm);
        Box::pin(async move {
            let answer = ready.call(request).await;
            // Wrong: the permit of the host is kept while nobody calls.
            if let Some(slot) = slot.upgrade()
                && ready.ready().await.is_ok()
            {
                *slot.lock().unwrap() = Some(ready);
            }
            answer
        })
    }
}
