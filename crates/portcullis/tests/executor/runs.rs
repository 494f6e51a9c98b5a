//! Where a call runs, and what it finds there.

use std::time::Duration;

use portcullis::{
    BoxError, DeadlineLayer, ExecutorLayer, Rejection, ThreadPool, ThreadPoolLayer, Timeout, clock, deadline,
};
use portcullis_testkit::script::{self, Step};
use tower::{Layer, ServiceBuilder, ServiceExt, limit::ConcurrencyLimitLayer, service_fn};

use super::support::{elsewhere, executor, is_elsewhere};

#[test]
fn it_is_called_and_polled_on_the_given_runtime() {
    let runtime = elsewhere();
    let executor = executor().runtime(runtime.handle().clone()).build().unwrap();
    let service = ExecutorLayer::new(executor.clone()).layer(service_fn(|(): ()| {
        let called = is_elsewhere();
        async move {
            tokio::time::sleep(Duration::from_millis(1)).await; // its timers are there
            Ok::<_, BoxError>((called, is_elsewhere()))
        }
    }));
    // There need be none here.
    assert_eq!(pollster::block_on(service.oneshot(())).unwrap(), (true, true));
    let by_hand = executor.call(|| {
        let called = is_elsewhere();
        async move { Ok::<_, Rejection>((called, is_elsewhere())) }
    });
    assert_eq!(pollster::block_on(by_hand).unwrap(), (true, true));
    let status = executor.status();
    assert_eq!((status.finished, status.running), (2, 0));
}

#[tokio::test]
async fn without_one_it_is_a_task_of_the_callers() {
    let executor = executor().build().unwrap();
    let id = executor.call(|| async { Ok::<_, Rejection>(tokio::task::id()) });
    assert_ne!(id.await.unwrap(), tokio::spawn(async { tokio::task::id() }).await.unwrap());
}

/// A call that nobody polls goes on.
#[tokio::test]
async fn it_runs_whoever_polls() {
    let executor = executor().build().unwrap();
    let (done, is_done) = tokio::sync::oneshot::channel();
    let call = executor.call(move || async move { Ok::<_, Rejection>(done.send(7)) });
    assert_eq!(is_done.await.unwrap(), 7);
    call.await.unwrap().unwrap();
}

/// The instance that was ready is the one that is called.
#[tokio::test]
async fn over_a_limit_of_one() {
    let (inner, handle) = script::always(|n: &u32| Step::<u32, BoxError>::ok(*n));
    let service = ServiceBuilder::new()
        .layer(ExecutorLayer::new(executor().build().unwrap()))
        .layer(ConcurrencyLimitLayer::new(1))
        .service(inner);
    for n in 0..3 {
        assert_eq!(service.clone().oneshot(n).await.unwrap(), n);
    }
    assert_eq!(handle.tally().calls, 3);
}

/// The deadline of the call goes with it, to a task and to a thread.
#[tokio::test]
async fn the_deadline_is_found_there() {
    let left = service_fn(|(): ()| async {
        Ok::<_, BoxError>(deadline::current().map(|at| at.since(clock::now()) > Duration::ZERO))
    });
    let within = || DeadlineLayer::new(Timeout::total("total", Duration::from_secs(60)).unwrap());
    let executor = ExecutorLayer::new(executor().build().unwrap());
    let pool = ThreadPool::builder("pool").registry(&portcullis::Registry::new()).build().unwrap();
    let pool = ThreadPoolLayer::new(pool);
    assert_eq!(executor.layer(left).oneshot(()).await.unwrap(), None);
    assert_eq!(within().layer(executor.layer(left)).oneshot(()).await.unwrap(), Some(true));
    assert_eq!(within().layer(pool.layer(left)).oneshot(()).await.unwrap(), Some(true));
}

#[cfg(feature = "tracing")]
#[tokio::test]
async fn the_span_is_found_there() {
    use tracing::{Instrument, info_span};

    let subscriber = tracing_subscriber::fmt().with_writer(std::io::sink).finish();
    let _default = tracing::subscriber::set_default(subscriber);
    let executor = executor().build().unwrap();
    let span = info_span!("call");
    let id = span.id();
    let found = async { executor.call(|| async { Ok::<_, Rejection>(tracing::Span::current().id()) }).await };
    assert_eq!(found.instrument(span).await.unwrap(), id);
}
