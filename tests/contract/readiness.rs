//! What the inner service has reserved for a call that does not come. The laws do not provoke these.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use portcullis::{BoxError, Bulkhead, BulkheadLayer, Registry, Rejection};
use tokio::{sync::Semaphore, time::Instant};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, limit::ConcurrencyLimit, service_fn};

use crate::policies::retry;

fn bulkhead_of_one(queue: u32) -> BulkheadLayer {
    let bulkhead = Bulkhead::builder("one").max_in_flight(1).queue(queue, Duration::from_secs(30));
    BulkheadLayer::new(bulkhead.registry(&Registry::new()).build().unwrap())
}

/// A call that waits in the bulkhead's queue must not keep what an attempt inside needs to go on.
#[tokio::test(start_paused = true)]
async fn a_retry_inside_a_bulkhead_is_not_starved_by_those_who_queue() {
    let fails = Arc::new(AtomicBool::new(true));
    let flaky = service_fn(move |n: u32| {
        let fails = fails.swap(false, Relaxed);
        async move { if fails { Err(BoxError::from("once")) } else { Ok(n) } }
    });
    let service = ServiceBuilder::new()
        .layer(bulkhead_of_one(8))
        .layer(retry().idempotent())
        .service(ConcurrencyLimit::new(flaky, 1));

    let began = Instant::now();
    for call in [1, 2, 3].map(|n| tokio::spawn(service.clone().oneshot(n))) {
        call.await.unwrap().unwrap();
    }
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

/// A permit of the inner service, taken by readiness, is given back with the refusal: the caller may
/// keep the instance for a long time, as a gRPC client does.
#[tokio::test(start_paused = true)]
async fn a_refused_call_gives_up_what_readiness_reserved() {
    let permits = Arc::new(Semaphore::new(2));
    let leaf = service_fn(async |()| std::future::pending::<Result<(), BoxError>>().await);
    let service = bulkhead_of_one(0).layer(ConcurrencyLimit::with_semaphore(leaf, permits.clone()));

    let mut late = service.clone();
    late.ready().await.unwrap();
    let running = tokio::spawn(service.oneshot(()));
    tokio::task::yield_now().await;
    let error = late.call(()).await.unwrap_err();
    assert!(error.is::<Rejection>(), "{error}");
    assert_eq!(permits.available_permits(), 1, "one for the call that runs, none for the refused one");
    running.abort();
}
