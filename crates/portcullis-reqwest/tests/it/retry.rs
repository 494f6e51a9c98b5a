//! One call of the client, several attempts by a layer.

use std::sync::{Arc, Mutex};

use axum::{Router, routing::post};
use http::StatusCode;
use portcullis_reqwest::TowerMiddleware;
use reqwest::Body;
use tower::{BoxError, ServiceBuilder, retry::RetryLayer, util::BoxCloneService};

use crate::support::{Again, Counter, Server, chain, soon};

type Lengths = Arc<Mutex<Vec<usize>>>;

/// Fails twice, and notes how long each body was.
async fn third_time_lucky() -> (Server, Lengths) {
    let lengths = Lengths::default();
    let seen = lengths.clone();
    let handler = async move |body: String| {
        let mut seen = seen.lock().expect("not poisoned");
        seen.push(body.len());
        if seen.len() < 3 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
    };
    (Server::start(Router::new().route("/order", post(handler))).await, lengths)
}

fn lengths(lengths: &Lengths) -> Vec<usize> {
    lengths.lock().expect("not poisoned").clone()
}

#[tokio::test]
async fn later_middleware_runs_once_for_each_attempt() {
    let (server, seen) = third_time_lucky().await;
    let (before, after) = (Counter::default(), Counter::default());
    let client = chain()
        .with(before.clone())
        .with(TowerMiddleware::new(RetryLayer::new(Again(5))))
        .with(after.clone())
        .build();

    let url = server.url("/order?id=7");
    let response = soon(client.post(&url).body("eleven byte").send()).await.expect("the third attempt");

    assert_eq!(response.status(), 200);
    assert_eq!(response.url().as_str(), url);
    assert_eq!(response.remote_addr(), Some(server.address()));
    assert_eq!((before.count(), after.count()), (1, 3));
    assert_eq!(lengths(&seen), [11, 11, 11]);
}

#[tokio::test]
async fn a_stream_is_sent_once_and_its_answer_is_the_answer() {
    let (server, seen) = third_time_lucky().await;
    let client = chain().with(TowerMiddleware::new(RetryLayer::new(Again(5)))).build();

    let stream = Body::wrap(String::from("once"));
    let response = soon(client.post(server.url("/order")).body(stream).send()).await.expect("an answer");

    assert_eq!(response.status(), 503);
    assert_eq!(lengths(&seen), [4]);
}

#[tokio::test]
async fn a_worker_task_and_a_boxed_service_do_as_well() {
    let (server, seen) = third_time_lucky().await;
    // The buffer calls the chain from a task of its own; the box is not `Sync`.
    let stack = ServiceBuilder::new()
        .layer_fn(BoxCloneService::<_, http::Response<Body>, BoxError>::new)
        .retry(Again(5))
        .buffer(4);
    let client = chain().with(TowerMiddleware::new(stack)).build();

    for expected in [3, 4] {
        let response = soon(client.post(server.url("/order")).body("x").send()).await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(lengths(&seen).len(), expected);
    }
}
