//! Calls that do not end by themselves.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use portcullis::{BoxError, ExecutorLayer, Reason, Rejection, Timeout, TimeoutLayer, Verdict};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

use super::support::{elsewhere, executor, tells};

#[tokio::test]
async fn a_call_that_is_dropped_stops_its_task_there() {
    let runtime = elsewhere();
    let executor = executor().runtime(runtime.handle().clone()).build().unwrap();
    let (held, told) = tells();
    let (begun, is_begun) = tokio::sync::oneshot::channel();
    let call = executor.call(move || async move {
        let _held = held;
        begun.send(()).unwrap();
        std::future::pending::<Result<(), Rejection>>().await
    });
    is_begun.await.unwrap();
    assert_eq!(executor.status().running, 1);
    drop(call);
    assert!(told.wait(), "it was dropped on its runtime");
    while executor.status().running > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(executor.status().cancelled, 1);
    runtime.shutdown_background();
}

#[tokio::test(start_paused = true)]
async fn a_timeout_outside_of_it_stops_the_task() {
    let executor = executor().build().unwrap();
    let (held, told) = tells();
    let held = std::sync::Arc::new(std::sync::Mutex::new(Some(held)));
    let timeout = Timeout::total("total", Duration::from_secs(1)).unwrap();
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::new(timeout))
        .layer(ExecutorLayer::new(executor.clone()))
        .service(service_fn(move |(): ()| {
            let held = held.lock().unwrap().take();
            async move {
                let _held = held;
                std::future::pending::<Result<(), BoxError>>().await
            }
        }));
    service.oneshot(()).await.unwrap_err();
    tokio::task::yield_now().await;
    assert!(!told.wait());
    assert_eq!((executor.status().cancelled, executor.status().running), (1, 0));
}

#[tokio::test]
async fn a_panic_goes_on_in_the_caller() {
    let executor = executor().build().unwrap();
    let service = ExecutorLayer::new(executor.clone()).layer(service_fn(|n: u32| async move {
        assert!(n > 0, "boom");
        Ok::<_, BoxError>(n)
    }));
    let panic = AssertUnwindSafe(service.clone().oneshot(0)).catch_unwind().await.unwrap_err();
    assert_eq!(*panic.downcast::<&str>().unwrap(), "boom");
    let by_hand = executor.call(|| async { panic!("bang") as Result<(), Rejection> });
    let panic = AssertUnwindSafe(by_hand).catch_unwind().await.unwrap_err();
    assert_eq!(*panic.downcast::<&str>().unwrap(), "bang");
    assert_eq!((executor.status().panics, executor.status().running), (2, 0));
    assert_eq!(service.oneshot(1).await.unwrap(), 1);
}

fn stopped(error: &BoxError) -> bool {
    let rejection = error.downcast_ref::<Rejection>().unwrap();
    rejection.reason() == Reason::RuntimeStopped
}

#[test]
fn a_runtime_that_has_ended_is_told() {
    let runtime = elsewhere();
    let executor = executor().runtime(runtime.handle().clone()).build().unwrap();
    let service = ExecutorLayer::new(executor.clone())
        .layer(service_fn(|(): ()| async { std::future::pending::<Result<(), BoxError>>().await }));
    let running = service.clone().oneshot(());
    let mut running = tokio_test::task::spawn(running);
    assert!(running.poll().is_pending());
    runtime.shutdown_timeout(Duration::from_secs(30));
    assert!(running.is_woken());
    assert!(stopped(&tokio_test::assert_ready_err!(running.poll())));
    assert!(stopped(&pollster::block_on(service.oneshot(())).unwrap_err()));
    assert_eq!((executor.status().rejected, executor.status().running), (2, 0));
}

#[test]
fn where_there_is_no_runtime_a_call_is_refused() {
    let executor = executor().build().unwrap();
    let refused = pollster::block_on(executor.call(|| async { Ok::<_, Rejection>(()) })).unwrap_err();
    assert_eq!(refused.to_string(), "executor 'reports' has no runtime any more");
}

/// The dependency is not to blame.
#[test]
fn it_is_a_refusal_that_counts_against_nobody() {
    let executor = executor().build().unwrap();
    let refused = pollster::block_on(executor.call(|| async { Ok::<_, Rejection>(()) })).unwrap_err();
    assert_eq!(refused.verdict(), Verdict::Ignored);
}
