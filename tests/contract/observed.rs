//! Spans of calls over real sockets: of a server, of a client with its attempts, of gRPC on both sides.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::SeqCst},
};

use axum::{Router, routing::get};
use echo_proto::{echo_client::EchoClient, echo_server::EchoServer, service::EchoService};
use futures_util::StreamExt;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use portcullis::{
    Breaker, BreakerLayer, ObserveLayer, Observer, Registry, RetryLayer, RetryPolicy, retry::Backoff,
};
use portcullis_reqwest::{ReqwestReplay, ReqwestService};
use portcullis_tests::{
    grpc::{channel, incoming, say, say_often},
    net::{Server, client, soon},
};
use portcullis_tonic::Tonic;
use tower::{ServiceBuilder, ServiceExt};
use tracing::info;

use crate::capture::Capture;

fn observer(name: &str) -> Observer {
    Observer::builder(name).registry(&Registry::new()).build().unwrap()
}

fn retry() -> RetryPolicy {
    RetryPolicy::builder("shop").backoff(Backoff::NONE).registry(&Registry::new()).build().unwrap()
}

/// Waits until all calls have ended: a server sees the end of a body after its client.
async fn settled(observer: &Observer) {
    while observer.status().calls.in_flight > 0 {
        tokio::task::yield_now().await;
    }
}

/// Fails the first request; its client makes another.
#[tokio::test]
async fn a_server_of_axum_and_a_client_of_reqwest() {
    let (capture, _guard) = Capture::start();
    let (server, client_side) = (observer("server"), observer("client"));
    let requests = Arc::new(AtomicU32::new(0));
    let handler = get(async move || {
        info!("handled");
        if requests.fetch_add(1, SeqCst) == 0 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
    });
    let routes = Router::new().route("/stock", handler);
    let listens = Server::axum(routes.layer(ObserveLayer::calls(server.clone()).http_server())).await;

    let service = ServiceBuilder::new()
        .layer(ObserveLayer::calls(client_side.clone()).http_client())
        .layer(RetryLayer::new(retry()).http_client().replay(ReqwestReplay::default()))
        .layer(ObserveLayer::attempts(client_side.clone()).http_client())
        .service(ReqwestService::new(client()));
    let request = Request::get(listens.url("/stock")).body(reqwest::Body::from("")).unwrap();
    let answer = soon(service.oneshot(request)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    soon(answer.into_body().collect()).await.unwrap();
    soon(settled(&server)).await;

    let tree = [
        "call success: ",
        ".attempt failure: ",
        "call failure: handled",
        ".attempt success: ",
        "call success: handled",
    ];
    assert_eq!(capture.tree(), tree);
    assert_eq!(capture.outside(), [""; 0]);
    let policies: Vec<_> = capture.spans().iter().map(|span| span.field("policy").to_owned()).collect();
    assert_eq!(policies, ["client", "client", "server", "client", "server"]);
    let second = &capture.spans()[3];
    assert_eq!((second.field("attempt"), second.field("after")), ("2", "unavailable"));
    assert_eq!((second.field("request"), second.field("status")), ("/stock", "200"));
}

/// A channel of tonic with a breaker, and a server of tonic, both observed.
#[tokio::test]
async fn grpc_on_both_sides() {
    let (capture, _guard) = Capture::start();
    let (server, client_side) = (observer("server"), observer("client"));
    let layer = ObserveLayer::calls(server.clone()).grpc();
    let listens = Server::start(|listener| async move {
        let mut routes = tonic::transport::Server::builder().layer(layer);
        let routes = routes.add_service(EchoServer::new(EchoService::default()));
        routes.serve_with_incoming(incoming(listener)).await.unwrap();
    })
    .await;
    let breaker = Breaker::builder("stock").registry(&Registry::new()).build().unwrap();
    let channel = ServiceBuilder::new()
        .layer(ObserveLayer::calls(client_side.clone()).protocol(Tonic::default()))
        .layer(ObserveLayer::attempts(client_side.clone()).protocol(Tonic::default()))
        .layer(BreakerLayer::new(breaker.clone()).protocol(Tonic::default()))
        .service(channel(&listens.url("")));
    let mut client = EchoClient::new(channel);

    soon(client.unary(say(0))).await.unwrap();
    let replies = soon(client.server_stream(say_often(3, 0))).await.unwrap().into_inner();
    assert_eq!(soon(replies.count()).await, 3);
    breaker.trip();
    soon(client.unary(say(0))).await.unwrap_err();
    soon(settled(&server)).await;

    let outcomes = |name: &str, policy: &str| -> Vec<_> {
        let spans = capture.spans();
        let these = spans.iter().filter(|span| span.name == name && span.field("policy") == policy);
        these.map(|span| (span.closed, span.field("outcome").to_owned())).collect()
    };
    let [success, rejected] = ["success", "rejected"].map(|outcome| (true, outcome.to_owned()));
    assert_eq!(outcomes("call", "client"), [success.clone(), success.clone(), rejected.clone()]);
    assert_eq!(outcomes("attempt", "client"), [success.clone(), success.clone(), rejected]);
    assert_eq!(outcomes("call", "server"), [success.clone(), success]);
    let refused = capture.spans().into_iter().rfind(|span| span.name == "attempt").unwrap();
    assert_eq!((refused.field("refused_by"), refused.field("state")), ("stock", "open"));
    assert!(refused.field("request").ends_with("Echo/Unary"), "{refused:?}");
}

/// A stream that its caller drops is abandoned on both sides.
#[tokio::test]
async fn a_stream_that_is_dropped() {
    let (capture, _guard) = Capture::start();
    let server = observer("server");
    let layer = ObserveLayer::calls(server.clone()).grpc();
    let listens = Server::start(|listener| async move {
        let mut routes = tonic::transport::Server::builder().layer(layer);
        let routes = routes.add_service(EchoServer::new(EchoService::default()));
        routes.serve_with_incoming(incoming(listener)).await.unwrap();
    })
    .await;
    let mut client = EchoClient::new(channel(&listens.url("")));
    let replies = soon(client.server_stream(say_often(1000, 60_000))).await.unwrap().into_inner();
    assert_eq!(server.status().calls.in_flight, 1);
    drop(replies);
    soon(settled(&server)).await;
    assert_eq!((server.status().calls.abandoned, server.status().calls.total()), (1, 1));
    assert_eq!(capture.tree(), ["call abandoned: "]);
}
