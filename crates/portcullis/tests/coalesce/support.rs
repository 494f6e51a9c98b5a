//! What the tests share.

use std::{future::Future, pin::Pin, time::Duration};

use portcullis::{BoxError, Coalesce, CoalesceLayer, Registry, coalesce::CoalesceBuilder};
use portcullis_testkit::script::{self, Handle, Scripted, Step};
use tokio_test::task::{Spawn, spawn};
use tower::{Layer, Service, ServiceExt};

pub(crate) type Inner = Scripted<u32, u32, BoxError>;

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// In a registry of its own.
pub(crate) fn coalesce() -> CoalesceBuilder {
    Coalesce::builder("prices").registry(&Registry::new())
}

/// A dependency that answers by these steps, and then hangs.
pub(crate) fn dependency(
    steps: impl IntoIterator<Item = Step<u32, BoxError>>,
) -> (Inner, Handle<u32, u32, BoxError>) {
    script::of(steps)
}

/// The dependency's calls, keyed by the request's tens.
pub(crate) fn by_tens<S>(
    coalesce: &Coalesce,
    inner: S,
) -> impl Service<u32, Response = u32, Error = BoxError, Future: Send> + Clone + use<S>
where
    S: Service<u32, Response = u32, Error = BoxError, Future: Send> + Clone + Send,
{
    CoalesceLayer::new(coalesce.clone()).by(|n: &u32| Some(n / 10)).layer(inner)
}

/// A call that is polled by hand.
type Polled<S> =
    Spawn<Pin<Box<dyn Future<Output = Result<<S as Service<u32>>::Response, <S as Service<u32>>::Error>>>>>;

/// One that was polled once.
pub(crate) fn begun<S: Service<u32> + Clone + 'static>(service: &S, request: u32) -> Polled<S> {
    let mut service = service.clone();
    let call: Pin<Box<dyn Future<Output = _>>> =
        Box::pin(async move { service.ready().await?.call(request).await });
    let mut call = spawn(call);
    assert!(call.poll().is_pending());
    call
}
