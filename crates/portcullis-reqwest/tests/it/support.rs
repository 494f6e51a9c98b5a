//! What the tests share: a server, a gate in a handler, a retry policy, middlewares that watch.

use std::{
    future::{Future, Ready, ready},
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::Router;
use http::Extensions;
use portcullis_reqwest::duplicate;
use reqwest::{Body, Request, Response};
use reqwest_middleware::{ClientBuilder, Middleware, Next, Result};
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::Semaphore,
    task::JoinHandle,
};
use tower::retry::Policy;

/// A server on a port of its own, gone when dropped.
pub(crate) struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("serves") });
        Self { address, task }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An address where nobody listens, and nobody will until the process ends.
pub(crate) fn nowhere() -> String {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
    let address = socket.local_addr().expect("bound");
    // A port that was given back may be the next test's server.
    std::mem::forget(socket);
    format!("http://{address}/")
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

/// A middleware chain to be filled.
pub(crate) fn chain() -> ClientBuilder {
    ClientBuilder::new(client())
}

/// Waits for what must happen soon; fails, rather than hangs, if it does not. A minute is far more than anything
/// on loopback takes, also on a machine that is busy with other things.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("happens soon")
}

/// A place in a handler where requests wait until the test lets them on.
#[derive(Clone)]
pub(crate) struct Gate(Arc<GateState>);

struct GateState {
    arrived: Semaphore,
    released: Semaphore,
    left: Semaphore,
    inside: AtomicUsize,
    most: AtomicUsize,
}

impl Gate {
    pub(crate) fn new() -> Self {
        let none = || Semaphore::new(0);
        let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self(Arc::new(GateState { arrived: none(), released: none(), left: none(), inside, most }))
    }

    /// For the handler.
    pub(crate) async fn pass(&self) {
        let _inside = Inside::enter(self.clone());
        self.0.arrived.add_permits(1);
        self.0.released.acquire().await.expect("open").forget();
    }

    /// Waits for a request to arrive.
    pub(crate) async fn arrival(&self) {
        soon(self.0.arrived.acquire()).await.expect("open").forget();
    }

    /// Lets `count` requests on.
    pub(crate) fn release(&self, count: usize) {
        self.0.released.add_permits(count);
    }

    /// Waits until a request has left: let on, or cancelled.
    pub(crate) async fn departure(&self) {
        drop(soon(self.0.left.acquire()).await.expect("open"));
    }

    /// The most requests that were inside at one time.
    pub(crate) fn most(&self) -> usize {
        self.0.most.load(SeqCst)
    }
}

struct Inside(Gate);

impl Inside {
    fn enter(gate: Gate) -> Self {
        let inside = gate.0.inside.fetch_add(1, SeqCst) + 1;
        gate.0.most.fetch_max(inside, SeqCst);
        Self(gate)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.0.inside.fetch_sub(1, SeqCst);
        self.0.0.left.add_permits(1);
    }
}

/// Counts what passes.
#[derive(Clone, Default)]
pub(crate) struct Counter(Arc<AtomicUsize>);

impl Counter {
    /// The count before this one.
    pub(crate) fn next(&self) -> usize {
        self.0.fetch_add(1, SeqCst)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(SeqCst)
    }
}

#[async_trait]
impl Middleware for Counter {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        self.next();
        next.run(request, extensions).await
    }
}

/// A middleware made of what it does to the extensions, before and after the rest of the chain.
pub(crate) struct Around<B, A>(pub(crate) B, pub(crate) A);

#[async_trait]
impl<B, A> Middleware for Around<B, A>
where
    B: Fn(&mut Request, &mut Extensions) + Send + Sync + 'static,
    A: Fn(&mut Extensions) + Send + Sync + 'static,
{
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        (self.0)(&mut request, extensions);
        let result = next.run(request, extensions).await;
        (self.1)(extensions);
        result
    }
}

/// Retries errors and server errors so many times, if the body can be sent again.
#[derive(Clone)]
pub(crate) struct Again(pub(crate) usize);

impl<B, E> Policy<http::Request<Body>, http::Response<B>, E> for Again {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut http::Request<Body>,
        result: &mut std::result::Result<http::Response<B>, E>,
    ) -> Option<Self::Future> {
        let failed = result.as_ref().map_or(true, |response| response.status().is_server_error());
        self.0 = self.0.checked_sub(usize::from(failed))?;
        failed.then(|| ready(()))
    }

    fn clone_request(&mut self, request: &http::Request<Body>) -> Option<http::Request<Body>> {
        let mut copy = http::Request::new(Body::from(request.body().as_bytes()?.to_vec()));
        copy_head(request, &mut copy);
        Some(copy)
    }
}

/// A second request; its bytes are those of the first.
pub(crate) fn copy(request: &mut http::Request<Body>) -> http::Request<Body> {
    let mut copy = http::Request::new(duplicate(request.body_mut()).expect("in memory"));
    copy_head(request, &mut copy);
    copy
}

fn copy_head(from: &http::Request<Body>, to: &mut http::Request<Body>) {
    *to.method_mut() = from.method().clone();
    *to.uri_mut() = from.uri().clone();
    *to.version_mut() = from.version();
    *to.headers_mut() = from.headers().clone();
    *to.extensions_mut() = from.extensions().clone();
}

/// Looks for an error among the sources.
pub(crate) fn find<'a, E: std::error::Error + 'static>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a E> {
    std::iter::successors(Some(error), |error| error.source()).find_map(<dyn std::error::Error>::downcast_ref)
}
