//! What a peek makes of each shape of a gRPC answer.

#![cfg(feature = "http")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{
    collections::VecDeque,
    error::Error,
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use portcullis::{
    BoxError, FailureKind, PeekLayer, RetryLayer, RetryPolicy, Verdict,
    protocol::{CallError, Protocol},
    retry::peek::PeekBody,
};
use tower::{Layer, ServiceExt, service_fn};

#[derive(Debug)]
enum Step {
    Data(&'static str),
    Trailers(&'static [(&'static str, &'static str)]),
    Broken,
    /// Nothing, for ever.
    Silent,
}

/// A body that does as it is told, and counts who holds it.
#[derive(Debug)]
struct Told {
    steps: VecDeque<Step>,
    held: Arc<()>,
}

type Held = Arc<()>;

fn told(steps: impl IntoIterator<Item = Step>) -> (Told, Held) {
    let held = Arc::new(());
    (Told { steps: steps.into_iter().collect(), held: held.clone() }, held)
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let header = |&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
    pairs.iter().map(header).collect()
}

impl Body for Told {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let _ = &self.held;
        Poll::Ready(match self.steps.pop_front() {
            Some(Step::Data(text)) => Some(Ok(Frame::data(Bytes::from_static(text.as_bytes())))),
            Some(Step::Trailers(pairs)) => Some(Ok(Frame::trailers(headers(pairs)))),
            Some(Step::Broken) => Some(Err(io::ErrorKind::ConnectionReset.into())),
            Some(Step::Silent) => return Poll::Pending,
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let size = |step: &Step| if let Step::Data(text) = step { text.len() as u64 } else { 0 };
        SizeHint::with_exact(self.steps.iter().map(size).sum())
    }
}

type Peeked = Result<Response<PeekBody<Told>>, CallError>;

/// What the peek makes of a head with these headers and that body.
async fn peek_at(head: &[(&'static str, &'static str)], body: Told) -> Peeked {
    let mut response = Response::new(body);
    response.headers_mut().extend(headers(head));
    let once = Mutex::new(Some(response));
    let inner = service_fn(move |_: Request<()>| {
        let response = once.lock().unwrap().take().unwrap();
        async move { Ok::<_, io::Error>(response) }
    });
    PeekLayer::new().layer(inner).oneshot(Request::new(())).await
}

async fn peek(steps: impl IntoIterator<Item = Step>) -> Peeked {
    peek_at(&[("x-head", "kept")], told(steps).0).await
}

const FAILED: &[(&str, &str)] =
    &[("grpc-status", "14"), ("grpc-message", "gone"), ("grpc-retry-pushback-ms", "7"), ("x-why", "disk")];

#[tokio::test]
async fn a_failure_before_any_message_becomes_trailers_only() {
    let (body, held) = told([Step::Data(""), Step::Trailers(FAILED)]);

    let response = peek_at(&[("x-head", "kept")], body).await.unwrap();

    for (name, value) in FAILED.iter().chain(&[("x-head", "kept")]) {
        assert_eq!(response.headers()[*name], *value);
    }
    assert!(response.body().is_end_stream());
    assert_eq!(response.body().size_hint().exact(), Some(0));
    assert_eq!(Arc::strong_count(&held), 1, "nothing of the stream is kept");
    assert!(response.into_body().frame().await.is_none());
}

#[tokio::test]
async fn a_message_is_put_back_as_it_was() {
    let response = peek([Step::Data("one"), Step::Data("two!"), Step::Trailers(FAILED)]).await.unwrap();

    assert!(
        !response.headers().contains_key("grpc-status"),
        "a failure after a message is not to be retried"
    );
    let mut body = response.into_body();
    assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(7), false));
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!((&*first, body.size_hint().exact()), (&b"one"[..], Some(4)));
    let rest = body.collect().await.unwrap();
    assert_eq!(rest.trailers(), Some(&headers(FAILED)));
    assert_eq!(rest.to_bytes(), "two!");
}

#[tokio::test]
async fn the_end_is_known_once_the_last_frame_is_taken() {
    let mut body = peek([Step::Data("all")]).await.unwrap().into_body();
    assert!(!body.is_end_stream());
    let _ = body.frame().await;
    assert!(body.is_end_stream());
}

#[tokio::test]
async fn a_message_is_not_copied() {
    let message = Bytes::from(vec![7; 64]);
    let at = message.as_ptr();
    let inner = service_fn(move |_: Request<()>| {
        let body = http_body_util::Full::new(message.clone());
        async move { Ok::<_, BoxError>(Response::new(body)) }
    });

    let response = PeekLayer::new().layer(inner).oneshot(Request::new(())).await.unwrap();

    assert_eq!(response.into_body().frame().await.unwrap().unwrap().into_data().unwrap().as_ptr(), at);
}

/// The trailers of an empty stream that succeeded: who reads them looks for them behind the body.
#[tokio::test]
async fn trailers_that_are_no_failure_stay_trailers() {
    for trailers in [&[("grpc-status", "0"), ("x-cost", "3")][..], &[("x-cost", "3")]] {
        let response = peek([Step::Trailers(trailers)]).await.unwrap();
        assert!(!response.headers().contains_key("grpc-status"));
        assert_eq!(response.body().size_hint().exact(), Some(0));
        let read = response.into_body().collect().await.unwrap();
        assert_eq!(read.trailers(), Some(&headers(trailers)));
    }
}

#[tokio::test]
async fn a_stream_that_breaks_before_any_message_is_an_error_of_the_call() {
    let error = peek([Step::Broken]).await.unwrap_err();

    let broken = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    assert_eq!(broken.map(io::Error::kind), Some(io::ErrorKind::ConnectionReset));
    let grpc = portcullis::Grpc::default();
    let verdict = Protocol::<Request<()>, Response<Told>, CallError>::judge_error(&grpc, &error);
    assert!(matches!(verdict, Verdict::Failure(failure) if failure.kind == FailureKind::Network));
}

#[tokio::test]
async fn a_stream_that_breaks_later_breaks_for_its_reader() {
    let mut body = peek([Step::Data("one"), Step::Broken]).await.unwrap().into_body();
    assert!(body.frame().await.unwrap().is_ok());
    assert_eq!(body.frame().await.unwrap().unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

/// Nothing is to be learnt from these, and their bodies are not touched.
#[tokio::test]
async fn a_head_that_says_all_is_not_waited_for() {
    assert!(peek_at(&[("grpc-status", "14")], told([Step::Silent]).0).await.is_ok());
    assert!(peek([]).await.is_ok());
    let no_grpc = service_fn(|_: Request<()>| async {
        Ok::<_, BoxError>(Response::builder().status(502).body(told([Step::Silent]).0).unwrap())
    });
    assert!(PeekLayer::new().layer(no_grpc).oneshot(Request::new(())).await.is_ok());
}

#[test]
fn a_call_that_is_given_up_while_it_peeks_leaves_nothing() {
    let (body, held) = told([Step::Silent]);
    let mut call = Box::pin(peek_at(&[], body));
    assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(Arc::strong_count(&held), 2);
    drop(call);
    assert_eq!(Arc::strong_count(&held), 1);
}

/// Answers the first call with one body, and later ones with another.
async fn retried(first: fn() -> Told) -> Result<Bytes, BoxError> {
    let calls = Arc::new(Mutex::new(0));
    let inner = service_fn(move |_: Request<_>| {
        *calls.lock().unwrap() += 1;
        let body = if *calls.lock().unwrap() == 1 { first() } else { told([Step::Data("second")]).0 };
        async move { Ok::<_, io::Error>(Response::new(body)) }
    });
    let retry = RetryLayer::new(RetryPolicy::new("peek")).grpc().idempotent();
    let service = retry.layer(PeekLayer::new().layer(inner));
    let request = Request::new(http_body_util::Empty::<Bytes>::new());
    Ok(service.oneshot(request).await?.into_body().collect().await?.to_bytes())
}

#[tokio::test(start_paused = true)]
async fn what_ends_before_any_message_is_made_again_and_nothing_else() {
    for first in [|| told([Step::Trailers(FAILED)]).0, || told([Step::Broken]).0] {
        assert_eq!(retried(first).await.unwrap(), "second");
    }
    assert_eq!(retried(|| told([Step::Data("first"), Step::Trailers(FAILED)]).0).await.unwrap(), "first");
    assert!(retried(|| told([Step::Data("first"), Step::Broken]).0).await.is_err());
}
