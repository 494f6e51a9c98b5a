//! Checks that are kept by the compiler: what a layer must be so that its hosts take it.
//!
//! A layer that is not `Clone`, or a service that needs its inner service to be `Sync`, passes all
//! tests of its own and is found out in the first user's program. The macros here expand to code
//! that is compiled and never run, so nothing is built or spawned.
//!
//! ```
//! use std::time::Duration;
//! use portcullis_testkit::{assert_box_clone_service, assert_box_clone_sync_service, assert_layer};
//! use tower::{BoxError, timeout::TimeoutLayer};
//!
//! assert_layer!(TimeoutLayer::new(Duration::from_secs(1)));
//! assert_box_clone_service!(TimeoutLayer::new(Duration::from_secs(1)), String => u64, BoxError);
//! assert_box_clone_sync_service!(TimeoutLayer::new(Duration::from_secs(1)), String => u64, BoxError);
//! # fn main() {}
//! ```
//!
//! A layer that asks for more than its hosts give does not compile:
//!
//! ```compile_fail,E0277
//! use portcullis_testkit::assert_layer;
//!
//! assert_layer!(std::rc::Rc::new(tower::layer::util::Identity::new()));
//! # fn main() {}
//! ```
//!
//! ```compile_fail,E0277
//! use std::time::Duration;
//! use portcullis_testkit::assert_box_clone_service;
//! use tower::{BoxError, limit::RateLimitLayer};
//!
//! // The layer is `Clone`, its service is not.
//! assert_box_clone_service!(RateLimitLayer::new(1, Duration::from_secs(1)), String => u64, BoxError);
//! # fn main() {}
//! ```
//!
//! Hosts of other frameworks (axum, tonic, reqwest) take the same layers with bounds of their own.
//! Checks against those belong to tests that depend on them.

use std::{
    cell::Cell,
    future::{Pending, pending},
    marker::PhantomData,
    task::{Context, Poll},
};

use tower::util::{BoxCloneService, BoxCloneSyncService};
use tower_layer::Layer;
use tower_service::Service;

/// An inner service for checks at compile time: it is never ready, and never answers.
///
/// Its `Thread` says what it is across threads: [`NotSync`] or [`ThreadSafe`].
#[derive(Debug)]
pub struct Inner<Req, Res, Err, Thread> {
    types: PhantomData<fn(Req) -> Result<Res, Err>>,
    thread: PhantomData<Thread>,
}

/// `Send` and not `Sync`, as `BoxCloneService` is.
pub type NotSync = Cell<()>;

/// `Send` and `Sync`, as `BoxCloneSyncService` is.
pub type ThreadSafe = ();

impl<Req, Res, Err, Thread> Inner<Req, Res, Err, Thread> {
    /// The service.
    #[must_use]
    pub fn new() -> Self {
        Self { types: PhantomData, thread: PhantomData }
    }
}

impl<Req, Res, Err, Thread> Default for Inner<Req, Res, Err, Thread> {
    fn default() -> Self {
        Self::new()
    }
}

impl<Req, Res, Err, Thread> Clone for Inner<Req, Res, Err, Thread> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<Req, Res, Err, Thread> Service<Req> for Inner<Req, Res, Err, Thread> {
    type Response = Res;
    type Error = Err;
    type Future = Pending<Result<Res, Err>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Err>> {
        Poll::Pending
    }

    fn call(&mut self, _: Req) -> Self::Future {
        pending()
    }
}

/// Takes what `Router::layer` and the like take as a layer.
pub fn layer<L: Clone + Send + Sync + 'static>(layer: L) -> L {
    layer
}

/// Takes what a task may own and clone: a service that a host clones for each request.
pub fn service<S, Req>(service: S) -> S
where
    S: Service<Req, Future: Send + 'static> + Clone + Send + 'static,
{
    service
}

/// Boxes the service that a layer makes around one that is `Send` and not `Sync`.
pub fn box_clone_service<L, Req, Res, Err, Out, OutErr>(
    layer: &L,
    inner: Inner<Req, Res, Err, NotSync>,
) -> BoxCloneService<Req, Out, OutErr>
where
    L: Layer<Inner<Req, Res, Err, NotSync>>,
    L::Service: Service<Req, Response = Out, Error = OutErr, Future: Send + 'static> + Clone + Send + 'static,
{
    BoxCloneService::new(layer.layer(inner))
}

/// Boxes the service that a layer makes around one that is `Send` and `Sync`.
pub fn box_clone_sync_service<L, Req, Res, Err, Out, OutErr>(
    layer: &L,
    inner: Inner<Req, Res, Err, ThreadSafe>,
) -> BoxCloneSyncService<Req, Out, OutErr>
where
    L: Layer<Inner<Req, Res, Err, ThreadSafe>>,
    L::Service:
        Service<Req, Response = Out, Error = OutErr, Future: Send + 'static> + Clone + Send + Sync + 'static,
{
    BoxCloneSyncService::new(layer.layer(inner))
}

/// The expression is a layer that is `Clone + Send + Sync + 'static`.
#[macro_export]
macro_rules! assert_layer {
    ($layer:expr $(,)?) => {
        const _: fn() = || {
            let _ = $crate::compile::layer($layer);
        };
    };
}

/// The expression is a layer whose service goes into tower's `BoxCloneService`, around an inner
/// service of these types that is not `Sync`.
#[macro_export]
macro_rules! assert_box_clone_service {
    ($layer:expr, $request:ty => $response:ty, $error:ty $(,)?) => {
        const _: fn() = || {
            let inner = $crate::compile::Inner::<$request, $response, $error, _>::new();
            let _ = $crate::compile::box_clone_service(&$crate::compile::layer($layer), inner);
        };
    };
}

/// The expression is a layer whose service goes into tower's `BoxCloneSyncService`, and so into an
/// axum `Router`, around an inner service of these types that is `Sync`.
#[macro_export]
macro_rules! assert_box_clone_sync_service {
    ($layer:expr, $request:ty => $response:ty, $error:ty $(,)?) => {
        const _: fn() = || {
            let inner = $crate::compile::Inner::<$request, $response, $error, _>::new();
            let _ = $crate::compile::box_clone_sync_service(&$crate::compile::layer($layer), inner);
        };
    };
}
