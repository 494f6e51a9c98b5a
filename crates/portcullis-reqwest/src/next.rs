use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use reqwest::Body;
use tokio::sync::oneshot;
use tower_service::Service;

use crate::{
    error::{LinkError, NextError},
    link::Link,
};

/// The rest of a middleware chain, as the innermost service of a
/// [`TowerMiddleware`](crate::TowerMiddleware)'s stack.
///
/// It holds nothing and is always ready: which chain it stands for, each request says in its
/// extensions. Each call runs the later middleware and the client once more, and calls may run
/// at the same time.
///
/// # Errors
///
/// [`NextError`]: what the later middleware or reqwest answered; or a [`LinkError`] within it, if
/// the request came without its extensions or after its caller had left.
///
/// # Cancellation
///
/// Dropping the future cancels the later middleware and the request. If the caller goes first, the
/// future ends with [`LinkError::Abandoned`].
#[derive(Clone, Copy, Debug)]
pub struct NextService(());

impl NextService {
    pub(crate) const fn new() -> Self {
        Self(())
    }
}

impl Service<http::Request<Body>> for NextService {
    type Response = http::Response<Body>;
    type Error = NextError;
    type Future = NextFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        // Taken out: this way back ends here, and is no business of the chain's extensions.
        let reply = request.extensions_mut().remove::<Link>().map(|link| {
            let (sender, receiver) = oneshot::channel();
            link.send(request, sender);
            receiver
        });
        NextFuture { reply }
    }
}

/// The future of a [`NextService`].
///
/// # Errors
///
/// Those of [`NextService`].
///
/// # Cancellation
///
/// Dropping it cancels the attempt, the later middleware included.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct NextFuture {
    // `None` if the request did not say whom to ask.
    reply: Option<oneshot::Receiver<Result<http::Response<Body>, NextError>>>,
}

impl Future for NextFuture {
    type Output = Result<http::Response<Body>, NextError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match &mut self.reply {
            Some(reply) => {
                ready!(Pin::new(reply).poll(cx)).unwrap_or_else(|_| Err(LinkError::Abandoned.into()))
            }
            None => Err(LinkError::Missing.into()),
        })
    }
}
