#![expect(clippy::unwrap_used, reason = "what helps the tests may panic as they do")]

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use ::http::{HeaderMap, HeaderValue, Response};
use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::BodyExt;

use super::*;
use crate::{BoxError, HttpClient};

/// Gives these frames, one after another, and then fails or ends.
struct Frames(Vec<Frame<Bytes>>, Option<&'static str>);

impl Body for Frames {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.0.is_empty() {
            return Poll::Ready(self.1.take().map(|error| Err(error.into())));
        }
        Poll::Ready(Some(Ok(self.0.remove(0))))
    }
}

fn data(text: &'static str) -> Frame<Bytes> {
    Frame::data(Bytes::from_static(text.as_bytes()))
}

fn trailers() -> HeaderMap {
    HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static("0"))])
}

fn collect(body: Frames, max_body: usize) -> http::Answer<Frames> {
    let response = Response::builder().header("x-a", "1").body(body).unwrap();
    pollster::block_on(HttpClient::default().collect(response, max_body))
}

async fn read<B: Body<Data = Bytes, Error = BoxError>>(body: B) -> (Bytes, Option<HeaderMap>) {
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned();
    (body.to_bytes(), trailers)
}

#[tokio::test]
async fn a_body_that_was_read_is_for_many_with_its_trailers() {
    let frames = vec![data("hello "), data(""), data("world"), Frame::trailers(trailers())];
    let Collected::Shared(shared) = collect(Frames(frames, None), 11) else { panic!("not shared") };
    assert_eq!((shared.body_len(), shared.head().headers["x-a"].to_str().unwrap()), (11, "1"));
    for response in [shared.clone(), shared].map(SharedResponse::into_response::<Frames>) {
        assert_eq!(response.headers()["x-a"], "1");
        let body = response.into_body();
        assert_eq!(body.size_hint().exact(), Some(11));
        let (bytes, got) = read(body).await;
        assert_eq!((&bytes[..], got), (&b"hello world"[..], Some(trailers())));
    }
}

#[tokio::test]
async fn bytes_are_shared_and_not_copied() {
    let Collected::Shared(shared) = collect(Frames(vec![data("hello")], None), 10) else { panic!() };
    let mut seen = Vec::new();
    for response in [shared.clone(), shared].map(SharedResponse::into_response::<Frames>) {
        let mut body = response.into_body();
        seen.push(body.frame().await.unwrap().unwrap().into_data().unwrap().as_ptr());
        assert!(body.is_end_stream());
        assert!(body.frame().await.is_none());
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn a_longer_one_is_for_one_with_all_of_it() {
    let frames = vec![data("hello "), data("world"), data("!"), Frame::trailers(trailers())];
    let Collected::Only(response, why) = collect(Frames(frames, None), 10) else { panic!("shared") };
    assert_eq!(why, Unshared::TooLarge);
    assert_eq!(response.headers()["x-a"], "1");
    let body = response.into_body();
    assert_eq!((body.size_hint().lower(), body.is_end_stream()), (11, false));
    let (bytes, got) = read(body).await;
    assert_eq!((&bytes[..], got), (&b"hello world!"[..], Some(trailers())));
}

#[tokio::test]
async fn one_that_fails_is_for_one_with_what_there_was_and_the_error() {
    let Collected::Only(response, why) = collect(Frames(vec![data("hello")], Some("boom")), 10) else {
        panic!("shared")
    };
    assert_eq!(why, Unshared::Failed);
    let mut body = response.into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "hello");
    assert_eq!(body.frame().await.unwrap().unwrap_err().to_string(), "boom");
    assert!(body.frame().await.is_none() && body.is_end_stream());
}

/// Reading them would keep their first event from everyone.
#[test]
fn what_does_not_end_is_not_read() {
    let not_read =
        |response: Response<Frames>| match pollster::block_on(HttpClient::default().collect(response, 10)) {
            Collected::Only(response, Unshared::Endless) => response.into_body(),
            other => panic!("{other:?}"),
        };
    let frames = || Frames(vec![data("event")], None);
    let events = Response::builder().header("content-type", "Text/Event-Stream; charset=utf-8");
    assert_eq!(not_read(events.body(frames()).unwrap()).size_hint().lower(), 0);
    not_read(Response::builder().status(101).body(frames()).unwrap());
}

#[test]
fn a_length_that_is_told_is_believed() {
    let body = http_body_util::Full::<Bytes>::from("hello").map_err(|never: Infallible| match never {});
    let collecting = HttpClient::default().collect(Response::new(body), 4);
    let Collected::Only(response, why) = pollster::block_on(collecting) else { panic!("shared") };
    assert_eq!((why, response.body().size_hint().exact()), (Unshared::TooLarge, Some(5)));
}

#[test]
fn an_empty_one_has_no_frames() {
    let Collected::Shared(shared) = collect(Frames(Vec::new(), None), 0) else { panic!() };
    assert!(shared.size() > 0);
    assert!(shared.into_response::<Frames>().into_body().is_end_stream());
}

#[test]
fn clones_are_shared_as_they_are() {
    let text = pollster::block_on(crate::Boxed::default().collect("hello".to_owned(), 0));
    assert!(matches!(text, Collected::Shared(text) if text == "hello"));
}
