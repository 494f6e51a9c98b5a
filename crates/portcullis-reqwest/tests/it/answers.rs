//! Requests and answers that come through as they are, and answers that layers make.

use std::sync::{Arc, Mutex};

use axum::{Router, extract::Request, routing::any};
use portcullis_reqwest::{NextError, TowerMiddleware};
use reqwest::Body;
use tower::{ServiceBuilder, layer::util::Identity};

use crate::support::{Server, chain, soon};

// An absent body must not become an empty one: some servers refuse `GET` with `content-length`.
#[tokio::test]
async fn the_server_sees_the_same_request() {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = heads.clone();
    let handler = async move |request: Request| {
        let head = (request.method().clone(), request.uri().clone(), request.headers().clone());
        seen.lock().expect("not poisoned").push((head, request.version()));
    };
    let server = Server::start(Router::new().fallback(any(handler))).await;
    let plain = chain().build();
    let stacked = chain().with(TowerMiddleware::new(Identity::new())).build();

    for client in [&plain, &stacked] {
        let url = server.url("/a%20b/ü?q=1&q=%26");
        soon(client.get(&url).header("x-twice", "1").header("x-twice", "2").send()).await.expect("an answer");
        soon(client.post(&url).basic_auth("user", Some("pass")).send()).await.expect("an answer");
        soon(client.put(&url).body("body").send()).await.expect("an answer");
    }

    let heads = heads.lock().expect("not poisoned");
    let (plain, stacked) = heads.split_at(3);
    assert_eq!(plain, stacked);
}

#[tokio::test]
async fn the_answer_is_the_same() {
    let handler = async || ([("x-answer", "yes")], "body");
    let server = Server::start(Router::new().fallback(any(handler))).await;
    let client = chain().with(TowerMiddleware::new(Identity::new())).build();

    let response = soon(client.get(server.url("/path?q")).send()).await.expect("an answer");

    assert_eq!(response.url().as_str(), server.url("/path?q"));
    assert_eq!(response.remote_addr(), Some(server.address()));
    assert_eq!(response.headers()["x-answer"], "yes");
    assert_eq!(response.content_length(), Some(4));
    assert_eq!(response.text().await.expect("a body"), "body");
}

#[tokio::test]
async fn an_answer_of_a_layer_has_its_own_body_and_the_url_of_the_request() {
    let url = crate::support::nowhere();
    let fallback = |_: Result<http::Response<Body>, NextError>| async {
        let mut response = http::Response::new(String::from("made up"));
        *response.status_mut() = http::StatusCode::IM_A_TEAPOT;
        Ok::<_, NextError>(response)
    };
    let client = chain().with(TowerMiddleware::new(ServiceBuilder::new().then(fallback))).build();

    let response = soon(client.get(&url).send()).await.expect("made up");

    assert_eq!((response.status().as_u16(), response.url().as_str()), (418, url.as_str()));
    assert_eq!(response.text().await.expect("a body"), "made up");
}
