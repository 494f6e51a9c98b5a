//! gRPC over sockets: what a tonic caller is told, by a layer on its own side and by one on the server's.

use std::error::Error;

use echo_proto::{EchoReply, echo_client::EchoClient, echo_server::EchoServer, service::EchoService};
use futures_util::StreamExt;
use portcullis::{
    Breaker, BreakerLayer, Bulkhead, BulkheadLayer, Grpc, RetryLayer, RetryPolicy, Timeout, TimeoutLayer,
    breaker::State,
};
use portcullis_tests::{
    grpc::{channel, incoming, say, say_often, serve},
    net::{Server, nowhere, soon},
};
use tonic::{Code, Status, Streaming, transport::Channel};
use tower::ServiceBuilder;

use crate::common::secs;

/// A stack of every layer above a channel, with these policies.
macro_rules! stacked {
    ($channel:expr, $breaker:expr, $bulkhead:expr, $timeout:expr) => {
        EchoClient::new(
            ServiceBuilder::new()
                .layer(TimeoutLayer::new(Timeout::total("grpc", secs(10)).unwrap()).grpc())
                .layer(RetryLayer::new(RetryPolicy::new("grpc")).grpc().rebody(tonic::body::Body::new))
                .layer(BreakerLayer::new($breaker.clone()).grpc())
                .layer(BulkheadLayer::new($bulkhead.clone()).grpc())
                .layer(TimeoutLayer::new($timeout).grpc())
                .service($channel),
        )
    };
}

fn reason(status: &Status) -> Option<&str> {
    status.metadata().get("portcullis-reason")?.to_str().ok()
}

/// Eight callers wait for one connect; it wakes one, and seven hang for ever.
#[tokio::test]
async fn t03_all_who_wait_for_a_connection_are_served() {
    let server = serve(EchoService::default()).await;
    let (breaker, bulkhead) = (Breaker::new("grpc"), Bulkhead::new("grpc"));
    let attempt = Timeout::attempt("grpc", secs(60)).unwrap();
    let client = stacked!(channel(&server.url("")), breaker, bulkhead, attempt);

    let calls = (0..8).map(|_| {
        let mut client = client.clone();
        async move { client.unary(say(0)).await.is_ok() }
    });

    assert_eq!(soon(futures_util::future::join_all(calls)).await, [true; 8]);
}

/// A refusal that reaches the caller as `Unknown`.
#[tokio::test]
async fn t14_each_refusal_has_its_own_code() {
    let server = serve(EchoService::default()).await;
    let (breaker, bulkhead) =
        (Breaker::new("grpc"), Bulkhead::builder("grpc").max_in_flight(1).build().unwrap());
    let attempt = Timeout::attempt("grpc", secs(1)).unwrap();
    let mut client = stacked!(channel(&server.url("")), breaker, bulkhead, attempt);
    soon(client.unary(say(0))).await.unwrap();

    let late = soon(client.unary(say(60_000))).await.unwrap_err();
    assert_eq!((late.code(), reason(&late)), (Code::DeadlineExceeded, Some("timeout")));

    let taken = bulkhead.try_admit().unwrap();
    let full = soon(client.unary(say(0))).await.unwrap_err();
    assert_eq!((full.code(), reason(&full)), (Code::ResourceExhausted, Some("full")));
    drop(taken);

    breaker.trip();
    let open = soon(client.unary(say(0))).await.unwrap_err();
    assert_eq!((open.code(), reason(&open)), (Code::Unavailable, Some("open")));
    let pushback = open.metadata().get("grpc-retry-pushback-ms").unwrap().to_str().unwrap();
    assert!((1..=5000).contains(&pushback.parse::<u32>().unwrap()), "{pushback}");
}

/// A status of the server's own that a layer replaces by another.
#[tokio::test]
async fn t14_the_servers_own_status_comes_through_as_it_is() {
    let server = serve(EchoService::default()).await;
    let (breaker, bulkhead) = (Breaker::new("grpc"), Bulkhead::new("grpc"));
    let attempt = Timeout::attempt("grpc", secs(10)).unwrap();
    let mut client = stacked!(channel(&server.url("")), breaker, bulkhead, attempt);

    for code in [Code::NotFound, Code::PermissionDenied, Code::DataLoss, Code::Internal] {
        let request = echo_proto::EchoRequest { fail_code: code.into(), ..say(0) };
        let status = soon(client.unary(request)).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (code, "failed as asked"));
    }
    assert_eq!(bulkhead.status().in_flight, 0);
}

/// A connect error with its sources cut off: `Unknown`, and nobody can tell why.
#[tokio::test]
async fn t14_a_connect_error_keeps_its_code_and_its_sources() {
    let (breaker, bulkhead) = (Breaker::new("grpc"), Bulkhead::new("grpc"));
    let attempt = Timeout::attempt("grpc", secs(10)).unwrap();
    let mut client = stacked!(channel(&nowhere()), breaker, bulkhead, attempt);

    let status = soon(client.unary(say(0))).await.unwrap_err();

    assert_eq!(status.code(), Code::Unavailable);
    let mut sources = std::iter::successors(status.source(), |error| (*error).source());
    let refused = sources.find_map(|error| error.downcast_ref::<std::io::Error>());
    assert_eq!(refused.map(std::io::Error::kind), Some(std::io::ErrorKind::ConnectionRefused));
    assert_eq!(breaker.status().failures, 3, "each attempt, because none was sent");
}

/// A layer on the server, whose refusal tonic turns into a stream reset.
#[tokio::test]
async fn t14_a_layer_on_the_server_answers_with_its_own_code() {
    let (breaker, bulkhead) =
        (Breaker::new("grpc"), Bulkhead::builder("grpc").max_in_flight(1).build().unwrap());
    let layers = ServiceBuilder::new()
        .layer(BreakerLayer::new(breaker.clone()).protocol(Grpc::default()))
        .layer(BulkheadLayer::new(bulkhead.clone()).grpc())
        .into_inner();
    let server = Server::start(|listener| async move {
        let mut server = tonic::transport::Server::builder().layer(layers);
        let server = server.add_service(EchoServer::new(EchoService::default()));
        server.serve_with_incoming(incoming(listener)).await.expect("it serves");
    })
    .await;
    let mut client = EchoClient::new(channel(&server.url("")));
    soon(client.unary(say(0))).await.unwrap();

    let taken = bulkhead.try_admit().unwrap();
    assert_eq!(soon(client.unary(say(0))).await.unwrap_err().code(), Code::ResourceExhausted);
    drop(taken);
    breaker.isolate();
    let isolated = soon(client.unary(say(0))).await.unwrap_err();

    assert_eq!((isolated.code(), reason(&isolated)), (Code::Unavailable, Some("isolated")));
    assert_eq!((breaker.status().successes, breaker.status().failures), (1, 0));
}

/// A call that may have been processed, made again because gRPC knows no method that is idempotent.
#[tokio::test]
async fn t34_a_call_goes_again_only_when_somebody_said_that_it_may() {
    for code in [Code::Internal, Code::DeadlineExceeded, Code::Unavailable] {
        for (idempotent, calls) in [(false, 1), (true, 2)] {
            let service = EchoService::default().fail_first(1, code);
            let server = serve(service.clone()).await;
            let retry = RetryLayer::new(RetryPolicy::new("grpc")).grpc().rebody(tonic::body::Body::new);
            let channel = ServiceBuilder::new()
                .layer(retry.idempotent_if(move |_: &http::Request<tonic::body::Body>| idempotent))
                .service(channel(&server.url("")));

            let end = soon(EchoClient::new(channel).unary(say(0))).await;

            assert_eq!((end.is_ok(), service.calls()), (calls == 2, calls), "{code:?}");
        }
    }
}

/// The code of a call, as a caller sees it, and what came before it.
async fn read(stream: Result<tonic::Response<Streaming<EchoReply>>, Status>) -> (usize, Code) {
    let mut stream = stream.expect("the head is in time").into_inner();
    let mut replies = 0;
    while let Some(reply) = soon(stream.next()).await {
        match reply {
            Ok(_) => replies += 1,
            Err(status) => return (replies, status.code()),
        }
    }
    (replies, Code::Ok)
}

/// A client whose calls, on either side, end after a second.
macro_rules! both_sides {
    ($whole:expr, |$client:ident| $test:expr) => {{
        let timeout = || Timeout::builder("t46", secs(1)).whole_response($whole).build().unwrap();
        {
            let server = serve(EchoService::default()).await;
            let channel = channel(&server.url(""));
            let layered = ServiceBuilder::new().layer(TimeoutLayer::new(timeout()).grpc()).service(channel);
            let mut $client = EchoClient::new(layered);
            $test
        }
        {
            let server = late_server(TimeoutLayer::new(timeout()).grpc()).await;
            let mut $client = EchoClient::new(channel(&server.url("")));
            $test
        }
    }};
}

async fn late_server(layer: TimeoutLayer<Grpc>) -> Server {
    Server::start(|listener| async move {
        let mut server = tonic::transport::Server::builder().layer(layer);
        let server = server.add_service(EchoServer::new(EchoService::default()));
        server.serve_with_incoming(incoming(listener)).await.expect("it serves");
    })
    .await
}

/// A deadline that ends as `Cancelled`.
#[tokio::test]
async fn t46_a_deadline_ends_as_deadline_exceeded() {
    both_sides!(false, |client| {
        let late = soon(client.unary(say(60_000))).await.unwrap_err();
        assert_eq!(late.code(), Code::DeadlineExceeded, "{late}");
        assert!(soon(client.unary(say(0))).await.is_ok());
    });
}

/// A deadline that ends with the head, and a stream that goes on for ever.
#[tokio::test]
async fn t46_a_deadline_ends_a_stream_in_its_middle_when_asked_for() {
    both_sides!(true, |client| {
        let (replies, code) = read(soon(client.server_stream(say_often(50, 100))).await).await;
        assert_eq!((code, (1..50).contains(&replies)), (Code::DeadlineExceeded, true), "{replies} replies");
        assert_eq!(read(soon(client.server_stream(say_often(3, 1))).await).await, (3, Code::Ok));
    });
}

/// One reply that never comes, after a head that did.
#[tokio::test]
async fn t46_a_deadline_ends_a_stream_that_hangs_after_its_head() {
    both_sides!(true, |client| {
        let read = read(soon(client.server_stream(say_often(1, 60_000))).await).await;
        assert_eq!(read, (0, Code::DeadlineExceeded));
    });
}

/// Without being asked for, it ends with the head: streams are meant to be long.
#[tokio::test]
async fn t46_a_stream_may_last_when_only_its_head_is_timed() {
    both_sides!(false, |client| {
        assert_eq!(read(soon(client.server_stream(say_often(4, 400))).await).await, (4, Code::Ok));
    });
}

/// What a breaker outside of the timeout sees of a stream that was cut: a failure.
#[tokio::test]
async fn t46_a_stream_that_was_cut_is_a_failure_to_the_breaker_outside() {
    let server = serve(EchoService::default()).await;
    let breaker = Breaker::builder("t46").consecutive_failures(1).build().unwrap();
    let timeout = Timeout::builder("t46", secs(1)).whole_response(true).build().unwrap();
    let channel: Channel = channel(&server.url(""));
    let mut client = EchoClient::new(
        ServiceBuilder::new()
            .layer(BreakerLayer::new(breaker.clone()).grpc())
            .layer(TimeoutLayer::new(timeout).grpc())
            .service(channel),
    );

    let (_, code) = read(soon(client.server_stream(say_often(50, 100))).await).await;

    assert_eq!((code, breaker.state()), (Code::DeadlineExceeded, State::Open));
    assert_eq!(breaker.status().last_failure, Some(portcullis::FailureKind::Timeout));
}
