//! tonic: a server's layers, and a generated client over a layered channel.

use ::tonic::{
    Request, Status,
    body::Body,
    client::GrpcService,
    service::LayerExt,
    transport::{Channel, Endpoint, Server},
};
use ::tower::{Layer, ServiceBuilder};
use echo_proto::{EchoRequest, echo_client::EchoClient, echo_server::EchoServer, service::EchoService};
use portcullis::{Probe, ProbeLayer};
use portcullis_tests::{grpc, net};

use super::{each, stack};
use crate::policies::{
    breaker, bulkhead, coalesce, executor, health, observe, response, retry, thread_pool, total,
    whole_response,
};

fn probe() -> ProbeLayer<fn() -> http::Request<Body>> {
    fn ask() -> http::Request<Body> {
        http::Request::post("/grpc.health.v1.Health/Check").body(Body::empty()).unwrap()
    }
    ProbeLayer::new(Probe::builder("tonic").build().unwrap(), ask as fn() -> _)
}

macro_rules! each_layer {
    (|$name:ident| $body:expr) => {
        each!(
            breaker().grpc(),
            retry().grpc().rebody(Body::new),
            bulkhead().grpc(),
            thread_pool().grpc(),
            coalesce().grpc(),
            executor().grpc(),
            observe().grpc(),
            total().grpc(),
            whole_response().grpc(),
            response().grpc(),
            probe().grpc(),
            stack!(grpc, rebody Body::new);
            |$name| $body
        );
    };
}

#[tokio::test]
async fn server() {
    let address = "127.0.0.1:0".parse().unwrap();
    each_layer!(|layer| {
        let server = Server::builder().layer(layer).add_service(EchoServer::new(EchoService::default()));
        // What `serve` asks of a layer is asked when this is compiled.
        drop(server.serve(address));
    });
}

/// With HTTP beside gRPC, and health for those who only speak HTTP.
#[tokio::test]
async fn server_of_both() {
    let address = "127.0.0.1:0".parse().unwrap();
    let layers = ServiceBuilder::new().layer(health()).layer(stack!(http_server, rebody Body::new));
    let server = Server::builder().layer(layers).add_service(EchoServer::new(EchoService::default()));
    drop(server.serve(address));
}

/// A call by the generated client, on a task of its own.
async fn unary<T>(service: T) -> Status
where
    T: GrpcService<Body> + Send + 'static,
    T: GrpcService<Body, Future: Send, ResponseBody: Send + 'static>,
    T::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    T::ResponseBody:
        http_body::Body<Data = bytes::Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send>,
{
    let mut client = EchoClient::new(service);
    let call = tokio::spawn(async move { client.unary(Request::new(EchoRequest::default())).await });
    call.await.unwrap().unwrap_err()
}

fn nowhere() -> Channel {
    Endpoint::from_static("http://127.0.0.1:1").connect_lazy()
}

#[tokio::test]
async fn client() {
    each_layer!(|layer| {
        let status = unary(layer.layer(nowhere())).await;
        assert_eq!(status.code(), ::tonic::Code::Unavailable, "{status:?}");
    });
}

/// Around one service of several, which keeps its name. Such a service must not fail, which `.grpc()` would
/// let it; `.http_server()` leaves the error what it is, and answers gRPC in gRPC.
#[tokio::test]
async fn one_service_of_a_server() {
    let address = "127.0.0.1:0".parse().unwrap();
    each!(
        breaker().http_server(),
        retry().http_server(),
        bulkhead().http_server(),
        thread_pool().http_server(),
        coalesce().http_server(),
        executor().http_server(),
        observe().http_server(),
        total().http_server(),
        whole_response().http_server(),
        probe().http_server(),
        stack!(http_server);
        |layer| {
            let echo = EchoServer::new(EchoService::default());
            let service = ServiceBuilder::new().layer(layer).named_layer(echo);
            drop(Server::builder().add_service(service).serve(address));
        }
    );
}

/// On both sides of a connection, unary and streaming.
#[tokio::test]
async fn both_sides() {
    let server = net::Server::start(|listener| async move {
        let echo = EchoServer::new(EchoService::default());
        let server = Server::builder().layer(stack!(grpc, rebody Body::new)).add_service(echo);
        server.serve_with_incoming(grpc::incoming(listener)).await.unwrap();
    })
    .await;
    let channel = stack!(grpc, rebody Body::new).layer(grpc::channel(&server.url("")));
    let mut client = EchoClient::new(channel);

    assert_eq!(client.unary(grpc::say(0)).await.unwrap().into_inner().message, "hello");
    let mut replies = client.server_stream(grpc::say_often(3, 0)).await.unwrap().into_inner();
    for index in 0..3 {
        assert_eq!(replies.message().await.unwrap().unwrap().index, index);
    }
    assert!(replies.message().await.unwrap().is_none());
    let messages = futures_util::stream::iter([grpc::say(0), grpc::say(0)]);
    assert_eq!(client.client_stream(messages).await.unwrap().into_inner().index, 2);
}
