use std::{
    fmt,
    future::poll_fn,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use http::Extensions;
use reqwest::{Body, Request, Response};
use reqwest_middleware::{Middleware, Next};
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    BoxError, attempt, convert, error, extensions,
    link::{Link, Outcome},
    next::NextService,
};

/// A stack of tower layers as one middleware of a `reqwest_middleware` chain.
///
/// The stack is built once, when the middleware is made, so that its state (a breaker, a limit, a
/// budget) is shared by all requests of the client. Each request runs on a clone of it, which is
/// polled ready and called once. What the layers call is the rest of the chain: the middleware
/// added after this one and the client, once for each attempt.
///
/// # What is kept
///
/// - **Extensions**, both ways. Layers see those of the chain in the request; later middleware sees
///   what layers added; earlier middleware sees what the attempt that won left behind.
/// - **The URL** of the answer, after redirects. An answer a layer made itself has the request's.
/// - **The timeout** of a [`reqwest::RequestBuilder`]; it starts anew for each attempt.
/// - **The request body**: one in memory stays in memory, so that it can be sent again.
///
/// # What the stack must be
///
/// `Clone + Send + 'static`, a service of `http::Request<reqwest::Body>`. Its answer may have any
/// body that is `Send + Sync`. Its error may be anything that goes into a box. A layer that makes a
/// second request must copy the first one's extensions.
///
/// # Errors
///
/// A [`reqwest::Error`] or [`reqwest_middleware::Error`] that passes the layers, boxed or not, comes
/// out as it was. An error that a layer makes comes out as
/// [`Error::Middleware`](reqwest_middleware::Error::Middleware) holding a
/// [`StackError`](crate::StackError), which keeps it as its source.
///
/// # Cancellation
///
/// Everything happens in the task that waits for the answer, except what a layer spawns. If the
/// caller stops waiting, all attempts are cancelled. If a layer drops one attempt, as a timeout
/// does, that attempt is. A call that a spawned task makes after the answer fails with
/// [`LinkError::Abandoned`](crate::LinkError::Abandoned).
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// use portcullis_reqwest::TowerMiddleware;
/// use reqwest_middleware::ClientBuilder;
/// use tower::ServiceBuilder;
///
/// let stack = ServiceBuilder::new().concurrency_limit(8).timeout(Duration::from_secs(1));
/// let client = ClientBuilder::new(reqwest::Client::new())
///     .with(TowerMiddleware::new(stack))
///     .build();
/// # drop(client);
/// ```
pub struct TowerMiddleware<S> {
    // The lock is held for a clone, and only there so that the stack need not be `Sync`.
    stack: Mutex<S>,
}

impl<S> TowerMiddleware<S> {
    /// Builds the stack: calls [`Layer::layer`] once, over a [`NextService`].
    ///
    /// Never fails. The bounds stand here too so that the compiler names the one that is missing.
    pub fn new<L>(layer: L) -> Self
    where
        L: Layer<NextService, Service = S>,
        S: Service<http::Request<Body>, Error: Into<BoxError>, Future: Send> + Clone + Send + 'static,
    {
        Self::of(layer.layer(NextService::new()))
    }

    const fn of(stack: S) -> Self {
        Self { stack: Mutex::new(stack) }
    }
}

impl<S: Clone> TowerMiddleware<S> {
    /// A stack for one request. A clone that panicked has changed nothing, so poison means nothing.
    fn stack(&self) -> S {
        self.stack.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Clones the stack: what its layers share between clones is shared between the two middlewares.
impl<S: Clone> Clone for TowerMiddleware<S> {
    fn clone(&self) -> Self {
        Self::of(self.stack())
    }
}

impl<S> fmt::Debug for TowerMiddleware<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TowerMiddleware").finish_non_exhaustive()
    }
}

#[async_trait]
impl<S, B> Middleware for TowerMiddleware<S>
where
    S: Service<http::Request<Body>, Response = http::Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: http_body::Body + Send + Sync + 'static,
    B::Data: Into<Bytes>,
    B::Error: Into<BoxError>,
{
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let asked = request.url().clone();
        let (link, jobs) = Link::new();
        let request = extensions::enter(request, extensions, link.clone())?;
        match attempt::drive(call(self.stack(), request), jobs, next).await {
            Ok(mut response) => {
                if let Some(outcome) = response.extensions_mut().remove::<Outcome>() {
                    outcome.restore(&link, extensions);
                }
                Ok(convert::from_http(response, asked))
            }
            Err(error) => {
                let (error, outcome) = error::leave_stack(error);
                if let Some(outcome) = outcome {
                    outcome.restore(&link, extensions);
                }
                Err(error)
            }
        }
    }
}

async fn call<S>(mut stack: S, request: http::Request<Body>) -> Result<S::Response, BoxError>
where
    S: Service<http::Request<Body>>,
    S::Error: Into<BoxError>,
{
    poll_fn(|cx| stack.poll_ready(cx)).await.map_err(Into::into)?;
    stack.call(request).await.map_err(Into::into)
}
