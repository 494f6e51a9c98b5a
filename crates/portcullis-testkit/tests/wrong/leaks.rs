//! Gives back on the paved path only.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::{Layer, Service};

use crate::support::{Boxed, unit_layer};

/// Takes a permit of its own and gives it back by hand, which a dropped future never reaches.
#[derive(Clone)]
pub(crate) struct LeaksOnDrop(Arc<Semaphore>);

impl LeaksOnDrop {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

#[derive(Clone)]
pub(crate) struct GivesBackByHand<S> {
    inner: S,
    permits: Arc<Semaphore>,
}

impl<S> Layer<S> for LeaksOnDrop {
    type Service = GivesBackByHand<S>;

    fn layer(&self, inner: S) -> Self::Service {
        GivesBackByHand { inner, permits: Arc::clone(&self.0) }
    }
}

impl<S, Req> Service<Req> for GivesBackByHand<S>
where
    S: Service<Req, Response: Send, Error: Send, Future: Send> + Clone + Send + 'static,
    Req: Send + 'static,
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
        let permits = Arc::clone(&self.permits);
        Box::pin(async move {
            permits.acquire().await.unwrap().forget();
            let answer = ready.call(request).await;
            // Wrong: not reached when the future is dropped above.
            permits.add_permits(1);
            answer
        })
    }
}

unit_layer!(Detaches, Detached);

impl<S, Req> Service<Req> for Detached<S>
where
    S: Service<Req, Response: Send + 'static, Error: Send + 'static, Future: Send + 'static>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Boxed<S::Response, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Req) -> Self::Future {
        // Wrong: dropping the handle does not stop the task.
        let task = tokio::spawn(self.inner.call(request));
        Box::pin(async move { task.await.unwrap() })
    }
}

/// Takes a permit of its own when polled ready, which an instance that is not called never returns.
#[derive(Clone)]
pub(crate) struct KeepsAbandoned(Arc<Semaphore>);

impl KeepsAbandoned {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(4)))
    }
}

pub(crate) struct Reserving<S> {
    inner: S,
    permits: Arc<Semaphore>,
    acquiring: Option<Pin<Box<dyn Future<Output = OwnedSemaphorePermit> + Send>>>,
    reserved: bool,
}

impl<S> Layer<S> for KeepsAbandoned {
    type Service = Reserving<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Reserving { inner, permits: Arc::clone(&self.0), acquiring: None, reserved: false }
    }
}

impl<S: Clone> Clone for Reserving<S> {
    fn clone(&self) -> Self {
        KeepsAbandoned(Arc::clone(&self.permits)).layer(self.inner.clone())
    }
}

impl<S, Req> Service<Req> for Reserving<S>
where
    S: Service<Req, Response: Send, Error: Send, Future: Send + 'static>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Boxed<S::Response, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        if !self.reserved {
            let permits = Arc::clone(&self.permits);
            let acquiring = self
                .acquiring
                .get_or_insert_with(|| Box::pin(async move { permits.acquire_owned().await.unwrap() }));
            // Wrong: from here on nobody owns the permit, and nobody drops it.
            ready!(acquiring.as_mut().poll(cx)).forget();
            self.acquiring = None;
            self.reserved = true;
        }
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Req) -> Self::Future {
        self.reserved = false;
        let returned = Returned(Arc::clone(&self.permits));
        let answer = self.inner.call(request);
        Box::pin(async move {
            let _returned = returned;
            answer.await
        })
    }
}

struct Returned(Arc<Semaphore>);

impl Drop for Returned {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}
