//! What is logged while something is dropped.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::BodyExt;
use portcullis::{BoxError, ObserveLayer, Registry, protocol::Attempt};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
use tracing::info;

use crate::{
    capture::Capture,
    support::{Body, get, observer},
};

/// Logs when it is dropped. As a future, or a body, it may be done at once, or never is.
struct Logs {
    done: bool,
    panics: bool,
}

impl Logs {
    const NEVER_DONE: Self = Self { done: false, panics: false };
    const DONE: Self = Self { done: true, panics: false };
    const PANICS: Self = Self { done: false, panics: true };
}

impl Drop for Logs {
    fn drop(&mut self) {
        info!("dropped");
        assert!(!self.panics, "while it is dropped");
    }
}

impl Future for Logs {
    type Output = Result<(), BoxError>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        if self.done { Poll::Ready(Ok(())) } else { Poll::Pending }
    }
}

impl http_body::Body for Logs {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from("tea")))))
    }
}

/// Calls, each of one attempt.
fn observed(logs: fn() -> Logs) -> impl Service<(), Response = (), Error = BoxError, Future: Send + Unpin> {
    let observer = observer(&Registry::new());
    ServiceBuilder::new()
        .layer(ObserveLayer::calls(observer.clone()))
        .layer(ObserveLayer::attempts(observer))
        .service(service_fn(move |()| logs()))
}

#[tokio::test]
async fn a_call_that_is_cancelled_is_dropped_inside_of_its_spans() {
    let (capture, _guard) = Capture::start();
    let mut call = observed(|| Logs::NEVER_DONE).call(());
    assert!((&mut call).now_or_never().is_none());
    drop(call);
    info!("after");
    assert_eq!(capture.tree(), ["call abandoned: ", ".attempt abandoned: dropped"]);
    assert_eq!(capture.outside(), ["after"]);
}

#[tokio::test]
async fn so_is_one_that_was_never_polled() {
    let (capture, _guard) = Capture::start();
    drop(observed(|| Logs::NEVER_DONE).call(()));
    assert_eq!(capture.tree(), ["call abandoned: ", ".attempt abandoned: dropped"]);
    assert_eq!(capture.outside(), [""; 0]);
}

/// And before its answer is there, so that the spans end with it.
#[tokio::test]
async fn a_call_that_is_done_is_dropped_inside_of_its_spans() {
    let (capture, _guard) = Capture::start();
    let mut call = observed(|| Logs::DONE).call(());
    (&mut call).await.unwrap();
    assert_eq!(capture.tree(), ["call success: ", ".attempt success: dropped"]);
    drop(call);
    assert_eq!(capture.outside(), [""; 0]);
}

#[tokio::test]
async fn without_tower_too() {
    for (logs, end) in [((|| Logs::DONE) as fn() -> Logs, "success"), (|| Logs::NEVER_DONE, "abandoned")] {
        let (capture, _guard) = Capture::start();
        let observer = observer(&Registry::new());
        let mut call = Box::pin(observer.call(|| observer.attempt(Attempt::FIRST, logs)));
        assert_eq!(call.as_mut().now_or_never().is_some(), logs().done);
        drop(call);
        assert_eq!(capture.tree(), [format!("call {end}: "), format!(".attempt {end}: dropped")]);
    }
}

/// A panic leaves no span entered, nor open.
#[tokio::test]
async fn who_panics_while_it_is_dropped() {
    let (capture, _guard) = Capture::start();
    let call = observed(|| Logs::PANICS).call(());
    catch_unwind(AssertUnwindSafe(|| drop(call))).unwrap_err();
    info!("after");
    assert_eq!(capture.tree(), ["call abandoned: ", ".attempt abandoned: dropped"]);
    assert_eq!(capture.outside(), ["after"]);
}

#[tokio::test]
async fn a_body_that_is_not_read_to_its_end_is_dropped_inside_of_both_spans() {
    let (capture, _guard) = Capture::start();
    let observer = observer(&Registry::new());
    let service = ServiceBuilder::new()
        .layer(ObserveLayer::calls(observer.clone()).http_server())
        .layer(ObserveLayer::attempts(observer.clone()).http_server())
        .service(service_fn(|_: Request<Body>| async { Ok::<_, BoxError>(Response::new(Logs::NEVER_DONE)) }));
    let mut body = service.oneshot(get()).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    info!("after");
    assert_eq!(capture.tree(), ["call success: ", ".attempt success: dropped"]);
    assert_eq!(capture.outside(), ["after"]);
}
