//! reqwest under a whole stack, over sockets: request bodies stay what reqwest wants them to be.

use axum::{
    Router,
    response::{IntoResponse, Redirect},
    routing::{post, put},
};
use bytes::Bytes;
use futures_util::stream;
use http::{Request, StatusCode};
use http_body::Frame;
use http_body_util::StreamBody;
use portcullis::{
    BoxError, Breaker, BreakerLayer, Bulkhead, BulkheadLayer, RetryLayer, RetryPolicy, Timeout, TimeoutLayer,
};
use portcullis_reqwest::{ReqwestReplay, ReqwestService};
use portcullis_tests::net::{Server, client, soon};
use reqwest::Body;
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};
use tower::{ServiceBuilder, ServiceExt};

use crate::common::secs;

/// The answer to a request that went through every layer.
async fn through_a_stack(request: Request<Body>) -> Result<(StatusCode, String), BoxError> {
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Timeout::total("reqwest", secs(10))?).http_client())
        .layer(RetryLayer::new(RetryPolicy::new("reqwest")).http_client().replay(ReqwestReplay::default()))
        .layer(BreakerLayer::new(Breaker::new("reqwest")).http_client())
        .layer(BulkheadLayer::new(Bulkhead::new("reqwest")).http_client())
        .layer(TimeoutLayer::new(Timeout::attempt("reqwest", secs(5))?).http_client())
        .service(ReqwestService::new(client()));
    let answer = soon(service.oneshot(request)).await?;
    let answer = reqwest::Response::from(answer.map(Body::wrap));
    Ok((answer.status(), answer.text().await?))
}

/// Fails the first request, and counts them all.
async fn fails_once(calls: Arc<AtomicUsize>, body: Bytes) -> impl IntoResponse {
    match calls.fetch_add(1, SeqCst) {
        0 => (StatusCode::SERVICE_UNAVAILABLE, String::new()),
        _ => (StatusCode::OK, format!("got {} bytes", body.len())),
    }
}

/// A body in memory, wrapped into a stream on its way: 307 is no longer followed.
#[tokio::test]
async fn t45_a_redirect_with_307_is_followed_through_the_whole_stack() {
    let app = Router::new()
        .route("/old", post(async || Redirect::temporary("/new")))
        .route("/new", post(async |body: String| format!("got {body}")));
    let server = Server::axum(app).await;

    let request = Request::post(server.url("/old")).body(Body::from("order 17")).unwrap();
    let answer = through_a_stack(request).await.unwrap();

    assert_eq!(answer, (StatusCode::OK, "got order 17".into()));
}

/// And it is followed by every attempt.
#[tokio::test]
async fn t45_a_second_attempt_follows_it_too() {
    let calls = Arc::new(AtomicUsize::default());
    let seen = calls.clone();
    let app = Router::new()
        .route("/old", put(async || Redirect::temporary("/new")))
        .route("/new", put(async move |body| fails_once(seen, body).await));
    let server = Server::axum(app).await;

    let request = Request::put(server.url("/old")).body(Body::from("order 17")).unwrap();
    let answer = through_a_stack(request).await.unwrap();

    assert_eq!((answer, calls.load(SeqCst)), ((StatusCode::OK, "got 8 bytes".into()), 2));
}

/// A stream that is too long to be kept makes an error of a retry, or is not sent at all.
#[tokio::test]
async fn t36_a_long_stream_is_sent_once_and_the_answer_is_its_answer() {
    let calls = Arc::new(AtomicUsize::default());
    let seen = calls.clone();
    let app = Router::new().route("/", put(async move |body| fails_once(seen, body).await));
    let server = Server::axum(app).await;
    let upload = |kibibytes: usize| {
        let frames = vec![Bytes::from_static(&[7; 1024]); kibibytes];
        let frames = frames.into_iter().map(|bytes| Ok::<_, Infallible>(Frame::data(bytes)));
        Request::put(server.url("/")).body(Body::wrap(StreamBody::new(stream::iter(frames)))).unwrap()
    };

    let (status, _) = through_a_stack(upload(1000)).await.unwrap();
    assert_eq!((status, calls.load(SeqCst)), (StatusCode::SERVICE_UNAVAILABLE, 1));

    calls.store(0, SeqCst);
    let answer = through_a_stack(upload(10)).await.unwrap();
    assert_eq!((answer, calls.load(SeqCst)), ((StatusCode::OK, "got 10240 bytes".into()), 2), "short enough");
}
