//! Who stops waiting, stops the work.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body as ServerBody, routing::get};
use bytes::Bytes;
use futures_util::{
    future::{Either, select},
    stream,
};
use portcullis_reqwest::{NextError, NextService, TowerMiddleware};
use reqwest::Body;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, layer::util::Identity};

use crate::support::{Again, Counter, Gate, Server, chain, copy, soon};

/// The first request waits at the gate, all others are answered once it has left.
async fn first_hangs() -> (Server, Gate) {
    let (gate, requests) = (Gate::new(), Counter::default());
    let pass = gate.clone();
    let handler = async move || {
        if requests.next() == 0 {
            pass.pass().await;
        } else {
            pass.departure().await;
        }
        "answered"
    };
    (Server::start(Router::new().route("/", get(handler))).await, gate)
}

#[tokio::test]
async fn a_timeout_of_an_attempt_cancels_the_rest_of_the_chain() {
    let (server, gate) = first_hangs().await;
    let later = Counter::default();
    let stack = ServiceBuilder::new().retry(Again(20)).timeout(Duration::from_millis(500));
    let client = chain().with(TowerMiddleware::new(stack)).with(later.clone()).build();

    let response = soon(client.get(server.url("/")).send()).await.expect("a later attempt");

    assert_eq!(response.text().await.expect("a body"), "answered");
    assert!(later.count() >= 2);
    assert_eq!(gate.most(), 1);
}

#[tokio::test]
async fn a_caller_that_leaves_cancels_everything() {
    let (server, gate) = first_hangs().await;
    let client = chain().with(TowerMiddleware::new(Identity::new())).build();

    let call = tokio::spawn(client.get(server.url("/")).send());
    gate.arrival().await;
    call.abort();

    gate.departure().await;
    assert!(soon(call).await.expect_err("aborted").is_cancelled());
}

#[tokio::test]
async fn the_timeout_of_the_request_is_kept() {
    let (server, _gate) = first_hangs().await;
    let client = chain().with(TowerMiddleware::new(Identity::new())).build();

    let error = soon(client.get(server.url("/")).timeout(Duration::from_millis(100)).send()).await;

    let error = error.expect_err("the server hangs");
    assert!(error.is_timeout() && !error.is_middleware(), "{error:?}");
}

#[tokio::test]
async fn the_timeout_of_the_request_covers_the_body_still() {
    let silent = async || ServerBody::from_stream(stream::pending::<std::io::Result<Bytes>>());
    let server = Server::start(Router::new().route("/", get(silent))).await;
    let client = chain().with(TowerMiddleware::new(Identity::new())).build();

    let response =
        soon(client.get(server.url("/")).timeout(Duration::from_secs(2)).send()).await.expect("a head");
    let error = soon(response.bytes()).await.expect_err("the body never ends");

    assert!(error.is_timeout(), "{error:?}");
}

/// Sends everything twice at once, and takes the first answer.
#[derive(Clone)]
struct Race(NextService);

struct RaceLayer;

impl Layer<NextService> for RaceLayer {
    type Service = Race;

    fn layer(&self, inner: NextService) -> Race {
        Race(inner)
    }
}

impl Service<http::Request<Body>> for Race {
    type Response = http::Response<Body>;
    type Error = NextError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, NextError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NextError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        let second = self.0.oneshot(copy(&mut request));
        let first = self.0.oneshot(request);
        Box::pin(async {
            match select(first, second).await {
                Either::Left((result, _)) | Either::Right((result, _)) => result,
            }
        })
    }
}

#[tokio::test]
async fn two_attempts_run_at_once_and_the_loser_is_cancelled() {
    let (gate, requests) = (Gate::new(), Counter::default());
    let pass = gate.clone();
    let handler = async move || {
        if requests.next() == 0 {
            pass.pass().await;
        } else {
            // Answers only once the other is here, too.
            pass.arrival().await;
        }
        "answered"
    };
    let server = Server::start(Router::new().route("/", get(handler))).await;
    let later = Counter::default();
    let client = chain().with(TowerMiddleware::new(RaceLayer)).with(later.clone()).build();

    let response = soon(client.get(server.url("/")).send()).await.expect("the winner");

    assert_eq!(response.text().await.expect("a body"), "answered");
    assert_eq!(later.count(), 2);
    gate.departure().await;
}
