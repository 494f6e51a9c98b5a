use std::{
    cell::Cell,
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::sync::Semaphore;
use tower::{BoxError, ServiceExt, buffer::Buffer, limit::ConcurrencyLimit};
use tower_service::Service;
use tower_test::mock::{self, Mock};

use super::{
    HostKind,
    exchange::{Accepts, Exchange},
};
use crate::script::Scripted;

type Leaf<X> = Scripted<<X as Exchange>::Request, <X as Exchange>::Response, <X as Exchange>::Error>;
type LimitFuture<X> = <ConcurrencyLimit<Leaf<X>> as Service<<X as Exchange>::Request>>::Future;
type HostFuture<X> =
    Pin<Box<dyn Future<Output = Result<<X as Exchange>::Response, <X as Exchange>::Error>> + Send>>;

/// The inner service that the layer under test is given: a [script](crate::script), bare or behind
/// one of tower's own services.
///
/// It is `Clone + Send` and deliberately not `Sync`, as tower's `BoxCloneService` is: a layer that
/// asks for more does not compile here.
pub struct Host<X: Exchange> {
    gate: Gate<X>,
    leaf: Leaf<X>,
    mends: bool,
    ready: bool,
    not_sync: PhantomData<Cell<()>>,
}

enum Gate<X: Exchange> {
    Strict(Leaf<X>),
    Mock(Mock<X::Request, X::Response>),
    Limit(ConcurrencyLimit<Leaf<X>>),
    Buffer(Buffer<X::Request, LimitFuture<X>>),
}

impl<X: Exchange> Host<X> {
    /// A host of that kind over a script, and the permits that it hands out, if it does.
    ///
    /// A host that `mends` takes a call without readiness to the script directly, which records
    /// it, where tower's services panic. So one breach does not hide the answer to another law.
    pub(super) fn new(kind: HostKind, leaf: &Leaf<X>, mends: bool) -> (Self, Option<Arc<Semaphore>>) {
        let permits = Arc::new(Semaphore::new(1));
        let limit = || ConcurrencyLimit::with_semaphore(leaf.clone(), Arc::clone(&permits));
        let gate = match kind {
            HostKind::Strict => Gate::Strict(leaf.clone()),
            HostKind::Mock => Gate::Mock(mock_over::<X>(leaf.clone())),
            HostKind::ConcurrencyLimit => Gate::Limit(limit()),
            HostKind::Buffer => Gate::Buffer(Buffer::new(limit(), 1)),
        };
        let limited = matches!(gate, Gate::Limit(_) | Gate::Buffer(_));
        let host = Self { gate, leaf: leaf.clone(), mends, ready: false, not_sync: PhantomData };
        (host, limited.then_some(permits))
    }

    /// A call without readiness, taken past the gate.
    fn mended(&self, request: X::Request) -> HostFuture<X> {
        self.leaf.record_misuse();
        Box::pin(self.leaf.clone().oneshot(request))
    }
}

/// A mock whose requests are answered by the script.
fn mock_over<X: Exchange>(leaf: Leaf<X>) -> Mock<X::Request, X::Response> {
    let (mock, mut handle) = mock::pair::<X::Request, X::Response>();
    tokio::spawn(async move {
        while let Some((request, reply)) = handle.next_request().await {
            let answer = leaf.clone().oneshot(request);
            tokio::spawn(async move {
                match answer.await {
                    Ok(response) => reply.send_response(response),
                    Err(error) => reply.send_error(error),
                }
            });
        }
    });
    mock
}

impl<X: Exchange> Gate<X> {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), X::Error>> {
        match self {
            Self::Strict(leaf) => leaf.poll_ready(cx),
            Self::Mock(mock) => mock.poll_ready(cx).map_err(X::unbox),
            Self::Limit(limit) => limit.poll_ready(cx),
            Self::Buffer(buffer) => buffer.poll_ready(cx).map_err(X::unbox),
        }
    }

    fn call(&mut self, request: X::Request) -> HostFuture<X> {
        match self {
            Self::Strict(leaf) => Box::pin(leaf.call(request)),
            Self::Mock(mock) => Box::pin(unboxed::<X>(mock.call(request))),
            Self::Limit(limit) => Box::pin(limit.call(request)),
            Self::Buffer(buffer) => Box::pin(unboxed::<X>(buffer.call(request))),
        }
    }
}

#[expect(clippy::panic, reason = "this is what the mock does, and what the law over it is about")]
fn mock_panic() -> ! {
    // The mock's own panic poisons its lock, and then dropping any clone of it panics again.
    panic!("service not ready; poll_ready must be called first")
}

fn unboxed<X: Exchange>(
    future: impl Future<Output = Result<X::Response, BoxError>>,
) -> impl Future<Output = Result<X::Response, X::Error>> {
    futures_util::TryFutureExt::map_err(future, X::unbox)
}

impl<X: Accepts<R>, R> Service<R> for Host<X> {
    type Response = X::Response;
    type Error = X::Error;
    type Future = HostFuture<X>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), X::Error>> {
        let ready = self.gate.poll_ready(cx);
        self.ready = matches!(ready, Poll::Ready(Ok(())));
        ready
    }

    fn call(&mut self, request: R) -> Self::Future {
        let request = X::accept(request);
        let ready = std::mem::take(&mut self.ready);
        match &self.gate {
            // The script records the breach itself, on the instance that was called.
            Gate::Strict(_) => self.gate.call(request),
            _ if ready => self.gate.call(request),
            _ if self.mends => self.mended(request),
            Gate::Mock(_) => mock_panic(),
            _ => self.gate.call(request),
        }
    }
}

impl<X: Exchange> Clone for Host<X> {
    fn clone(&self) -> Self {
        Self {
            gate: self.gate.clone(),
            leaf: self.leaf.clone(),
            mends: self.mends,
            ready: false,
            not_sync: PhantomData,
        }
    }
}

impl<X: Exchange> Clone for Gate<X> {
    fn clone(&self) -> Self {
        match self {
            Self::Strict(leaf) => Self::Strict(leaf.clone()),
            Self::Mock(mock) => Self::Mock(mock.clone()),
            Self::Limit(limit) => Self::Limit(limit.clone()),
            Self::Buffer(buffer) => Self::Buffer(buffer.clone()),
        }
    }
}

impl<X: Exchange> fmt::Debug for Host<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("leaf", &self.leaf).field("ready", &self.ready).finish_non_exhaustive()
    }
}
