//! What the tests share.

use std::{
    future::Future,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use portcullis::{BoxError, Cache, CacheLayer, Registry, cache::CacheBuilder};
use tower::{Service, ServiceExt, service_fn};

pub(crate) type Prices = Cache<Box<str>, u32>;

pub(crate) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// What is asked for: without a lifetime in its type, so that tasks can have it.
pub(crate) struct Item(pub(crate) &'static str);

/// In a registry of its own, and without jitter.
pub(crate) fn prices() -> CacheBuilder<Box<str>, u32> {
    Cache::builder("prices").jitter(0.0).registry(&Registry::new())
}

/// A dependency that counts its calls, and answers by their number, from 1 on.
#[derive(Clone, Default)]
pub(crate) struct Calls(Arc<AtomicUsize>);

impl Calls {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Relaxed)
    }

    pub(crate) fn next(&self) -> usize {
        self.0.fetch_add(1, Relaxed) + 1
    }
}

/// A service by text behind this cache.
pub(crate) fn service<F, Fut>(
    cache: &Prices,
    answer: F,
) -> impl Service<Item, Response = u32, Error = BoxError, Future: Send> + Clone + Send + 'static
where
    F: Fn(usize) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<u32, io::Error>> + Send + 'static,
{
    let calls = Calls::default();
    let layer = CacheLayer::new(cache.clone()).by(|item: &Item| Some(Box::<str>::from(item.0)));
    tower::Layer::layer(&layer, service_fn(move |_: Item| answer(calls.next())))
}

/// One that answers the number of the call, after this time.
pub(crate) fn slow(
    cache: &Prices,
    time: Duration,
) -> impl Service<Item, Response = u32, Error = BoxError, Future: Send> + Clone + Send + 'static {
    service(cache, move |n| async move {
        tokio::time::sleep(time).await;
        Ok(n as u32)
    })
}

/// One call.
pub(crate) async fn ask<S>(service: &S, item: &'static str) -> Result<u32, BoxError>
where
    S: Service<Item, Response = u32, Error = BoxError> + Clone,
{
    service.clone().oneshot(Item(item)).await
}

/// Lets what was spawned go on.
pub(crate) async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}
