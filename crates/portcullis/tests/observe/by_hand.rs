//! Without tower.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use portcullis::{BoxError, FailureKind, Registry, Ticket, Verdict, protocol::Attempt};

use crate::support::observer;

#[tokio::test]
async fn calls_and_attempts_are_counted() {
    let observer = observer(&Registry::new());
    let call = observer.call(|| async {
        let first = observer.attempt(Attempt::FIRST, || async { Err::<u32, BoxError>("lost".into()) });
        first.await.unwrap_err();
        let second = Attempt::retry(2, FailureKind::Other);
        observer.attempt(second, || async { Ok::<_, BoxError>(7) }).await
    });
    assert_eq!(call.await.unwrap(), 7);
    let status = observer.status();
    assert_eq!((status.calls.successes, status.attempts.failures, status.attempts.successes), (1, 1, 1));
}

#[tokio::test]
async fn a_future_that_is_dropped_and_one_that_panics() {
    let observer = observer(&Registry::new());
    assert!(observer.call(std::future::pending::<Result<(), BoxError>>).now_or_never().is_none());
    let panics = observer.call(|| async { panic!("boom") as Result<(), BoxError> });
    AssertUnwindSafe(panics).catch_unwind().await.unwrap_err();
    let calls = observer.status().calls;
    assert_eq!((calls.abandoned, calls.failures, calls.in_flight), (1, 1, 0));
}

#[test]
fn only_the_first_verdict_counts() {
    let observer = observer(&Registry::new());
    let mut call = observer.begin();
    call.settle(Verdict::Ignored);
    call.settle(Verdict::Success);
    drop(call);
    assert_eq!((observer.status().calls.ignored, observer.status().calls.total()), (1, 1));
}

#[cfg(feature = "tracing")]
#[tokio::test]
async fn what_is_logged_stands_in_the_attempt() {
    let (capture, _guard) = crate::capture::Capture::start();
    let observer = observer(&Registry::new());
    let attempt = || async {
        tracing::info!("asked");
        tokio::task::yield_now().await;
        tracing::info!("answered");
        Ok::<_, BoxError>(())
    };
    observer.call(|| observer.attempt(Attempt::FIRST, attempt)).await.unwrap();
    assert_eq!(capture.tree(), ["call success: ", ".attempt success: asked, answered"]);
}
