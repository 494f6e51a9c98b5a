//! What is dropped leaves nothing behind.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use portcullis::{BoxError, DrainLayer, drain::Phase};
use tokio::runtime::Handle;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{drain, secs, settle};

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_at_any_point_is_no_longer_in_flight() {
    let drain = drain().build().unwrap();
    let mut service = DrainLayer::new(drain.clone())
        .layer(service_fn(async |_: ()| std::future::pending::<Result<(), BoxError>>().await));
    let unpolled = service.ready().await.unwrap().call(());
    assert_eq!(drain.status().in_flight, 1);
    drop(unpolled);
    assert_eq!(drain.status().in_flight, 0);

    let mut polled = tokio_test::task::spawn(service.ready().await.unwrap().call(()));
    assert!(polled.poll().is_pending());
    drop(polled);
    assert_eq!(drain.status().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_panics_is_no_longer_in_flight() {
    let drain = drain().build().unwrap();
    let service = DrainLayer::new(drain.clone())
        .layer(service_fn(async |_: ()| -> Result<(), BoxError> { std::panic::panic_any("a handler's") }));
    let call = tokio::spawn(service.oneshot(()));
    assert!(call.await.unwrap_err().is_panic());
    assert_eq!(drain.status().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_without_tower_that_is_dropped_is_no_longer_in_flight() {
    let drain = drain().build().unwrap();
    let mut call = tokio_test::task::spawn(drain.call(std::future::pending::<Result<(), BoxError>>));
    assert!(call.poll().is_pending());
    assert_eq!(drain.status().in_flight, 1);
    drop(call);
    assert_eq!(drain.status().in_flight, 0);
}

/// Tasks of the runtime, but for the test's own.
fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

#[tokio::test(start_paused = true)]
async fn nothing_runs_on_when_the_last_handle_is_dropped() {
    let before = tasks();
    let drain = drain().build().unwrap();
    drain.begin();
    #[cfg(feature = "signal")]
    drain.on_terminate().unwrap();
    settle().await;
    assert!(tasks() > before);
    drop((drain.signal(), drain.ended(), drain));
    settle().await;
    assert_eq!(tasks(), before);
}

#[tokio::test(start_paused = true)]
async fn nothing_runs_on_when_it_is_over() {
    let before = tasks();
    let drain = drain().build().unwrap();
    #[cfg(feature = "signal")]
    drain.on_terminate().unwrap();
    drain.begin();
    drain.ended().await;
    settle().await;
    assert_eq!(tasks(), before);
}

#[tokio::test(start_paused = true)]
async fn futures_that_are_dropped_hold_nothing_back() {
    let drain = drain().build().unwrap();
    let mut ended = tokio_test::task::spawn(drain.ended());
    assert!(ended.poll().is_pending());
    drop((ended, drain.signal(), drain.reached(Phase::Announced)));
    drain.begin();
    assert!(drain.ended().await.is_clean());
    tokio::time::timeout(secs(0), drain.ended()).await.unwrap();
}

/// A future that was made before it began is told, too.
#[tokio::test(start_paused = true)]
async fn all_who_wait_are_told() {
    let drain = drain().build().unwrap();
    let told = Arc::new(AtomicUsize::new(0));
    let waits = (0..10).map(|_| {
        let (ended, told) = (drain.ended(), told.clone());
        tokio::spawn(async move {
            ended.await;
            told.fetch_add(1, SeqCst);
        })
    });
    let waits: Vec<_> = waits.collect();
    drain.end();
    for wait in waits {
        wait.await.unwrap();
    }
    assert_eq!(told.load(SeqCst), 10);
}
