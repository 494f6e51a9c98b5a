//! Pipelines around real clients and servers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{Router, http::StatusCode, routing::get};
use bytes::Bytes;
use echo_proto::{echo_client::EchoClient, echo_server::EchoServer, service::EchoService};
use http::Request;
use http_body_util::Full;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use portcullis::{
    Breaker, Drain, Health, Pipeline, PolicyKind, Registry, RetryLayer, RetryPolicy, retry::Backoff,
};
use portcullis_reqwest::{ReqwestReplay, ReqwestService};
use portcullis_tests::{
    grpc,
    net::{Server, soon},
};
use tonic::{Code, body::Body as GrpcBody};
use tower::{Layer, ServiceExt};

/// A shop whose stock fails twice, and then answers; its server has the usual, and ends by a drain.
async fn shop(registry: &Registry, drain: &Drain) -> (Server, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let stock = get(move || {
        let nth = count.fetch_add(1, SeqCst);
        async move { if nth < 2 { Err(StatusCode::SERVICE_UNAVAILABLE) } else { Ok("seven") } }
    });
    let pipeline = Pipeline::server("shop")
        .standard()
        .drain(drain.clone())
        .health(Health::new(registry))
        .registry(registry)
        .http_server()
        .build()
        .unwrap();
    let router = Router::new().route("/stock", stock).route("/slow", get(std::future::pending::<()>));
    (Server::axum(router.layer(pipeline)).await, asked)
}

fn drain(registry: &Registry) -> Drain {
    Drain::builder("shop").announce(Duration::ZERO).registry(registry).build().unwrap()
}

fn retry(registry: &Registry) -> RetryPolicy {
    RetryPolicy::builder("shop").backoff(Backoff::NONE).registry(registry).build().unwrap()
}

#[tokio::test]
async fn hyper_to_axum() {
    let registry = Registry::new();
    let drain = drain(&registry);
    let (server, asked) = shop(&registry, &drain).await;
    let client = Pipeline::client("shop")
        .standard()
        .retry(retry(&registry))
        .attempt_timeout(Duration::from_millis(200))
        .registry(&registry)
        .http_client()
        .build()
        .unwrap()
        .layer(Client::builder(TokioExecutor::new()).build_http());
    let ask = |path: &str| {
        let request = Request::get(server.url(path)).body(Full::<Bytes>::default()).unwrap();
        soon(client.clone().oneshot(request))
    };
    assert_eq!(ask("/stock").await.unwrap().status(), StatusCode::OK);
    assert_eq!(asked.load(SeqCst), 3);
    // Each attempt ends by its own time, and all of them before the deadline.
    assert!(ask("/slow").await.is_err());
    assert_eq!(ask("/livez").await.unwrap().status(), StatusCode::OK);
    drain.begin();
    soon(drain.reached(portcullis::drain::Phase::Refusing)).await;
    // Health answers when all else is refused.
    assert_eq!(ask("/livez").await.unwrap().status(), StatusCode::OK);
    assert_eq!(ask("/stock").await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(asked.load(SeqCst), 3);
    assert_eq!(registry.pipelines().len(), 2);
}

#[tokio::test]
async fn reqwest_to_axum() {
    let registry = Registry::new();
    let (server, asked) = shop(&registry, &drain(&registry)).await;
    let replay = RetryLayer::new(retry(&registry)).http_client().replay(ReqwestReplay::default());
    let client =
        Pipeline::client("shop").standard().retry(replay).registry(&registry).http_client().build().unwrap();
    let reqwest = reqwest::Client::builder().no_proxy().retry(reqwest::retry::never()).build().unwrap();
    let service = client.layer(ReqwestService::new(reqwest));
    let request = Request::get(server.url("/stock")).body(reqwest::Body::default()).unwrap();
    assert_eq!(soon(service.oneshot(request)).await.unwrap().status(), StatusCode::OK);
    assert_eq!(asked.load(SeqCst), 3);
    assert_eq!(client.explain().amplification.one_call, 3);
}

#[tokio::test]
async fn tonic_to_tonic() {
    let registry = Registry::new();
    let layer = Pipeline::server("echo").standard().registry(&registry).grpc().build().unwrap();
    let server = Server::start(|listener| async move {
        let mut server = tonic::transport::Server::builder().layer(layer);
        let server = server.add_service(EchoServer::new(EchoService::default()));
        server.serve_with_incoming(grpc::incoming(listener)).await.unwrap();
    })
    .await;
    let breaker = Breaker::builder("echo").registry(&registry).build().unwrap();
    let client = Pipeline::client("echo")
        .attempt_timeout(Duration::from_millis(100))
        .breaker(breaker.clone())
        .retry(RetryLayer::new(retry(&registry)).grpc().rebody(GrpcBody::new).idempotent())
        .deadline(Duration::from_millis(250))
        .registry(&registry)
        .grpc()
        .build()
        .unwrap();
    let mut echo = EchoClient::new(client.layer(grpc::channel(&server.url(""))));
    assert_eq!(soon(echo.unary(grpc::say(0))).await.unwrap().into_inner().message, "hello");
    let late = soon(echo.unary(grpc::say(60_000))).await.unwrap_err();
    assert_ne!(late.code(), Code::Ok);
    // Two attempts were over their time, and the third was when the call's was.
    assert_eq!(breaker.status().failures, 2);
    breaker.isolate();
    assert!(soon(echo.unary(grpc::say(0))).await.is_err());
    assert!(registry.get(PolicyKind::LoadShed, "echo").is_some());
}
