//! One attempt to make a connection.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::Sleep;
use tower_service::Service;

use crate::BoxError;

type Making<S> = Pin<Box<dyn Future<Output = Result<S, BoxError>> + Send>>;

/// An attempt, which may be polled by another each time.
pub(super) struct Attempt<S> {
    /// Once the connector was ready.
    making: Option<Making<S>>,
    limit: Pin<Box<Sleep>>,
}

impl<S> Attempt<S> {
    pub(super) fn new(limit: Duration) -> Self {
        Self { making: None, limit: Box::pin(tokio::time::sleep(limit)) }
    }

    /// Gets on with it. The connection wins a tie against the limit.
    pub(super) fn poll<M, T>(
        &mut self,
        connector: &mut M,
        target: &T,
        cx: &mut Context<'_>,
    ) -> Poll<Result<S, BoxError>>
    where
        M: Service<T, Response = S, Error: Into<BoxError>, Future: Send> + 'static,
        T: Clone + 'static,
        S: 'static,
    {
        if let Poll::Ready(made) = self.poll_made(connector, target, cx) {
            return Poll::Ready(made);
        }
        ready!(self.limit.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::from(io::ErrorKind::TimedOut).into()))
    }

    fn poll_made<M, T>(
        &mut self,
        connector: &mut M,
        target: &T,
        cx: &mut Context<'_>,
    ) -> Poll<Result<S, BoxError>>
    where
        M: Service<T, Response = S, Error: Into<BoxError>, Future: Send> + 'static,
        T: Clone + 'static,
        S: 'static,
    {
        let making = match &mut self.making {
            Some(making) => making,
            None => {
                ready!(connector.poll_ready(cx)).map_err(Into::into)?;
                let called = connector.call(target.clone());
                self.making.insert(Box::pin(async move { called.await.map_err(Into::into) }))
            }
        };
        making.as_mut().poll(cx)
    }
}
