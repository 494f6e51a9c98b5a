//! The client as a service of `http` requests.

use std::time::Duration;

use axum::{Router, body::Bytes, response::Redirect, routing::get};
use http::{Request, Response};
use portcullis_reqwest::ReqwestService;
use reqwest::Body;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};

use crate::support::{Again, Counter, Gate, Server, chain, client, nowhere, soon};

fn to(url: &str) -> Request<Body> {
    Request::get(url).body(Body::default()).expect("a request")
}

#[tokio::test]
async fn the_answer_knows_its_url_after_redirects() {
    let router = Router::new()
        .route("/old", get(async || Redirect::permanent("/new?a=1")))
        .route("/new", get(async || ([("x-answer", "yes")], "body")));
    let server = Server::start(router).await;

    let response =
        soon(ReqwestService::new(client()).oneshot(to(&server.url("/old")))).await.expect("an answer");
    assert_eq!(response.headers()["x-answer"], "yes");

    let response = reqwest::Response::from(response);
    assert_eq!(response.url().as_str(), server.url("/new?a=1"));
    assert_eq!(response.remote_addr(), Some(server.address()));
    assert_eq!(response.bytes().await.expect("a body"), Bytes::from_static(b"body"));
}

#[tokio::test]
async fn the_timeout_of_a_request_is_kept() {
    let gate = Gate::new();
    let server = Server::start(Router::new().route("/", get(async move || gate.pass().await))).await;
    let request =
        client().get(server.url("/")).timeout(Duration::from_millis(100)).build().expect("a request");

    let request = request.try_into().expect("a request");
    let error = soon(ReqwestService::new(client()).oneshot(request)).await.expect_err("the server hangs");

    assert!(error.is_timeout(), "{error:?}");
}

#[tokio::test]
async fn a_dropped_call_is_cancelled() {
    let gate = Gate::new();
    let pass = gate.clone();
    let server = Server::start(Router::new().route("/", get(async move || pass.pass().await))).await;

    let call = tokio::spawn(ReqwestService::new(client()).oneshot(to(&server.url("/"))));
    gate.arrival().await;
    call.abort();

    gate.departure().await;
    assert!(soon(call).await.expect_err("aborted").is_cancelled());
}

#[tokio::test]
async fn a_request_that_cannot_be_sent_says_so() {
    let error = soon(ReqwestService::new(client()).oneshot(to("/only/a/path"))).await.expect_err("no host");
    assert!(error.is_builder(), "{error:?}");
}

#[tokio::test]
async fn an_error_of_reqwest_is_unchanged() {
    let error = soon(ReqwestService::new(client()).oneshot(to(&nowhere()))).await.expect_err("refused");
    assert!(error.is_connect() && error.url().is_some(), "{error:?}");
}

#[tokio::test]
async fn a_stack_of_layers_retries() {
    let requests = Counter::default();
    let seen = requests.clone();
    let flaky =
        async move || if seen.next() < 2 { http::StatusCode::BAD_GATEWAY } else { http::StatusCode::OK };
    let server = Server::start(Router::new().route("/", get(flaky))).await;
    let service = ServiceBuilder::new()
        .buffer(4)
        .concurrency_limit(2)
        .retry(Again(5))
        .timeout(Duration::from_secs(60))
        .service(ReqwestService::new(client()));

    let response: Response<Body> =
        soon(service.oneshot(to(&server.url("/")))).await.expect("the third attempt");

    assert_eq!(response.status(), 200);
    assert_eq!(requests.count(), 3);
}

async fn status<S>(service: S, url: &str) -> u16
where
    S: Service<Request<Body>, Response = Response<Body>, Error: Into<BoxError>>,
{
    soon(service.oneshot(to(url))).await.map_err(Into::into).expect("an answer").status().as_u16()
}

#[tokio::test]
async fn a_borrowed_client_and_a_chain_and_a_stack_do_as_well() {
    let server = Server::start(Router::new().route("/", get(async || "answered"))).await;
    let (url, client, later) = (server.url("/"), client(), Counter::default());

    assert_eq!(status(ReqwestService::new(&client), &url).await, 200);
    assert_eq!(status(ReqwestService::from(chain().with(later.clone()).build()), &url).await, 200);
    let boxed = ServiceBuilder::new().timeout(Duration::from_secs(60)).service(client);
    assert_eq!(status(ReqwestService::new(boxed), &url).await, 200);
    assert_eq!(later.count(), 1);
}
