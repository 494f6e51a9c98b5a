//! Calls without tower.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use tower_service::Service;

use crate::BoxError;

/// The future of [`Cache::call`](super::Cache::call).
#[must_use = "a future does nothing until it is polled"]
pub struct Call<V>(State<V>);

enum State<V> {
    Ready(Option<V>),
    /// Boxed, so that nothing of the call is in the type, and tasks can have it whatever its error is.
    Made(Pin<Box<dyn Future<Output = Result<V, BoxError>> + Send>>),
}

impl<V> Call<V> {
    pub(super) fn ready(value: V) -> Self {
        Self(State::Ready(Some(value)))
    }

    pub(super) fn made(call: impl Future<Output = Result<V, BoxError>> + Send + 'static) -> Self {
        Self(State::Made(Box::pin(call)))
    }
}

/// Neither a value nor a box is ever pinned.
impl<V> Unpin for Call<V> {}

impl<V> Future for Call<V> {
    type Output = Result<V, BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            // Without a value it was polled after it was ready.
            State::Ready(value) => value.take().map_or(Poll::Pending, |value| Poll::Ready(Ok(value))),
            State::Made(call) => call.as_mut().poll(cx),
        }
    }
}

impl<V> fmt::Debug for Call<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("cache::Call").finish_non_exhaustive()
    }
}

/// A service whose requests are the calls themselves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run;

impl<Fut, T, E> Service<Fut> for Run
where
    Fut: Future<Output = Result<T, E>>,
{
    type Response = T;
    type Error = E;
    type Future = Fut;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Fut) -> Fut {
        call
    }
}
