//! Hedges over sockets and over services that insist on readiness.

use axum::{Router, extract::State, routing::get};
use bytes::Bytes;
use echo_proto::{EchoRequest, echo_client::EchoClient, service::EchoService};
use futures_util::StreamExt;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy, rt::TokioExecutor};
use portcullis::{BoxError, Hedge, HedgeLayer, retry::ReplayBody};
use portcullis_testkit::script::{self, Step};
use portcullis_tests::{
    grpc::{channel, say, say_often, serve},
    net::{Gate, Server, soon},
};
use tower::{Service, ServiceBuilder, ServiceExt};

use crate::common::{ms, secs};

/// A dependency whose first calls wait at the gate; the others are answered so.
#[derive(Clone)]
struct Shop {
    gate: Gate,
    others: StatusCode,
}

async fn stock(State(shop): State<Shop>) -> (StatusCode, &'static str) {
    if shop.gate.entered() == 0 {
        shop.gate.pass().await;
        return (StatusCode::OK, "first");
    }
    (shop.others, "another")
}

async fn shop(others: StatusCode) -> (Server, Gate) {
    let gate = Gate::default();
    let shop = Shop { gate: gate.clone(), others };
    (Server::axum(Router::new().route("/stock", get(stock)).with_state(shop)).await, gate)
}

type Body = Full<Bytes>;

type Answer = Response<hyper::body::Incoming>;

fn client(
    hedge: &Hedge,
) -> impl Service<Request<Body>, Response = Answer, Error = BoxError, Future: Send> + use<> {
    ServiceBuilder::new()
        .layer(HedgeLayer::new(hedge.clone()).http_client())
        .service(legacy::Client::builder(TokioExecutor::new()).build_http::<ReplayBody<Body>>())
}

fn hedge() -> Hedge {
    Hedge::builder("sockets").fixed_delay(ms(20)).build().unwrap()
}

async fn text(response: Answer) -> Bytes {
    soon(response.into_body().collect()).await.unwrap().to_bytes()
}

fn ask(server: &Server) -> Request<Body> {
    Request::get(server.url("/stock")).body(Body::default()).unwrap()
}

/// The first call hangs; its connection is closed when the other has answered.
#[tokio::test]
async fn t27_over_sockets_the_first_reply_counts() {
    let (server, gate) = shop(StatusCode::OK).await;
    let hedge = hedge();
    let response = soon(client(&hedge).oneshot(ask(&server))).await.unwrap();
    assert_eq!(text(response).await, "another");
    assert_eq!(hedge.status().won, 1);
    soon(async {
        while gate.inside() > 0 {
            tokio::time::sleep(ms(1)).await;
        }
    })
    .await;
}

/// A hedge that failed was returned, and the healthy call dropped.
#[tokio::test]
async fn t27_over_sockets_a_failing_hedge_leaves_the_first_alone() {
    let (server, gate) = shop(StatusCode::SERVICE_UNAVAILABLE).await;
    let hedge = hedge();
    let call = tokio::spawn(client(&hedge).oneshot(ask(&server)));
    soon(async {
        while hedge.status().failed == 0 {
            tokio::time::sleep(ms(1)).await;
        }
    })
    .await;
    gate.open();
    let response = soon(call).await.unwrap().unwrap();
    assert_eq!((response.status(), text(response).await), (StatusCode::OK, Bytes::from("first")));
}

/// Both attempts of a call are the same request; the caller sees one answer.
#[tokio::test]
async fn t27_over_grpc_a_slow_call_is_hedged() {
    let service = EchoService::default();
    let server = serve(service.clone()).await;
    let hedge = hedge();
    let layer = HedgeLayer::new(hedge.clone()).grpc().rebody(tonic::body::Body::new).idempotent();
    let mut client = EchoClient::new(ServiceBuilder::new().layer(layer).service(channel(&server.url(""))));

    let reply = soon(client.unary(say(60))).await.unwrap().into_inner();
    assert_eq!(reply.message, "hello");
    let status = hedge.status();
    assert_eq!((service.calls(), status.sent, status.won + status.lost), (2, 1, 1), "{status:?}");
}

/// A failure is followed by the other attempt at once, and the last one is the caller's.
#[tokio::test]
async fn t27_over_grpc_the_last_failure_is_returned() {
    let service = EchoService::default();
    let server = serve(service.clone()).await;
    let hedge = Hedge::builder("grpc").fixed_delay(secs(60)).max_attempts(3).build().unwrap();
    let layer = HedgeLayer::new(hedge.clone()).grpc().rebody(tonic::body::Body::new).idempotent();
    let mut client = EchoClient::new(ServiceBuilder::new().layer(layer).service(channel(&server.url(""))));

    let request = EchoRequest { fail_code: tonic::Code::Unavailable.into(), ..say(0) };
    let status = soon(client.unary(request)).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (tonic::Code::Unavailable, "failed as asked"));
    assert_eq!(service.calls(), 3);
}

/// The head of a stream is the answer: it is not sent twice because its messages take long.
#[tokio::test]
async fn t27_over_grpc_a_stream_is_committed_with_its_head() {
    let service = EchoService::default();
    let server = serve(service.clone()).await;
    let hedge = Hedge::builder("grpc").fixed_delay(secs(1)).build().unwrap();
    let layer = HedgeLayer::new(hedge.clone()).grpc().rebody(tonic::body::Body::new).idempotent();
    let mut client = EchoClient::new(ServiceBuilder::new().layer(layer).service(channel(&server.url(""))));

    let stream = soon(client.server_stream(say_often(3, 1))).await.unwrap().into_inner();
    assert_eq!(soon(stream.count()).await, 3);
    assert_eq!((service.calls(), hedge.status().sent), (1, 0));
}

/// A clone that was not polled ready is called, and tower panics.
#[tokio::test(start_paused = true)]
async fn t28_a_hedge_over_services_that_insist_on_readiness() {
    let slow = || {
        let mut calls = 0;
        script::always(move |n: &u32| {
            calls += 1;
            Step::<u32, BoxError>::ok(*n).after(ms(if calls % 2 == 1 { 100 } else { 1 }))
        })
    };
    let hedge = Hedge::builder("t28").fixed_delay(ms(20)).budget_of(1.0, 1000).build().unwrap();
    let layer = HedgeLayer::new(hedge.clone()).idempotent();

    let (shop, handle) = slow();
    let limited = ServiceBuilder::new().layer(layer.clone()).concurrency_limit(2).service(shop);
    for n in 0..10 {
        assert_eq!(limited.clone().oneshot(n).await.unwrap(), n);
    }
    assert_eq!((handle.tally().high_water, handle.tally().misuses), (2, vec![]), "over ConcurrencyLimit");

    let (shop, handle) = slow();
    let buffered = ServiceBuilder::new().layer(layer).buffer::<u32>(2).service(shop);
    for n in 0..10 {
        assert_eq!(buffered.clone().oneshot(n).await.unwrap(), n);
    }
    assert_eq!(handle.tally().misuses, [], "over Buffer");
    assert_eq!((hedge.status().won, hedge.status().failed), (20, 0));
}
