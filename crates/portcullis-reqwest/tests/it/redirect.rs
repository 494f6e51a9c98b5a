//! A body in memory stays in memory: reqwest sends it again when redirected with 307.

use axum::{Router, response::Redirect, routing::post};
use http::Method;
use portcullis_reqwest::{ReqwestService, TowerMiddleware, duplicate};
use reqwest::Body;
use tower::{ServiceBuilder, ServiceExt, retry::RetryLayer};

use crate::support::{Again, Server, chain, client, soon};

async fn moved() -> Server {
    let router = Router::new()
        .route("/old", post(async || Redirect::temporary("/new")))
        .route("/new", post(async |body: String| format!("got {body}")));
    Server::start(router).await
}

fn order(server: &Server, body: Body) -> http::Request<Body> {
    let request = http::Request::builder().method(Method::POST).uri(server.url("/old"));
    request.body(body).expect("a request")
}

// T45
#[tokio::test]
async fn a_service_follows_it_with_a_duplicate_too() {
    let server = moved().await;
    let mut first = Body::from("order");
    let second = duplicate(&mut first).expect("in memory");

    for body in [first, second] {
        let service = ServiceBuilder::new().concurrency_limit(1).service(ReqwestService::new(client()));
        let response = soon(service.oneshot(order(&server, body))).await.expect("an answer");
        let response = reqwest::Response::from(response);
        assert_eq!(response.url().as_str(), server.url("/new"));
        assert_eq!(response.text().await.expect("a body"), "got order");
    }
}

// T45
#[tokio::test]
async fn a_chain_follows_it_through_two_stacks() {
    let server = moved().await;
    let client = chain()
        .with(TowerMiddleware::new(RetryLayer::new(Again(1))))
        .with(TowerMiddleware::new(ServiceBuilder::new().concurrency_limit(1)))
        .build();

    let response = soon(client.post(server.url("/old")).body("order").send()).await.expect("an answer");

    assert_eq!(response.url().as_str(), server.url("/new"));
    assert_eq!(response.text().await.expect("a body"), "got order");
}

// Why a body must not be wrapped. If this fails, reqwest has learned to follow, and the rule can go.
#[tokio::test]
async fn a_stream_is_not_followed() {
    let server = moved().await;
    let stream = Body::wrap(Body::from("order"));
    let response =
        soon(ReqwestService::new(client()).oneshot(order(&server, stream))).await.expect("an answer");
    assert_eq!(response.status(), 307);
}
