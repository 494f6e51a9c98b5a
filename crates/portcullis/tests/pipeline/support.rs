//! What the tests share.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use portcullis::{BoxError, Rejection};
use tower::{Layer, Service, ServiceExt, service_fn};

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A dependency that fails, and counts how often it was asked.
pub(crate) fn failing() -> (
    impl Service<u32, Response = u32, Error = BoxError, Future: Send + 'static> + Clone + Send + 'static,
    Arc<AtomicUsize>,
) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let service = service_fn(move |_| {
        count.fetch_add(1, SeqCst);
        std::future::ready(Err::<u32, _>(BoxError::from("broken")))
    });
    (service, asked)
}

/// One call through a layer, to a dependency that answers.
pub(crate) async fn call<L>(layer: &L) -> Result<u32, BoxError>
where
    L: Layer<tower::util::ServiceFn<fn(u32) -> std::future::Ready<Result<u32, BoxError>>>>,
    L::Service: Service<u32, Response = u32, Error = BoxError>,
{
    let answers: fn(u32) -> _ = |n| std::future::ready(Ok(n + 1));
    layer.layer(service_fn(answers)).oneshot(1).await
}

/// Which policy refused.
pub(crate) fn refused_by(error: &BoxError) -> &'static str {
    Rejection::find(&**error).map_or("nobody", |rejection| rejection.kind().as_str())
}
