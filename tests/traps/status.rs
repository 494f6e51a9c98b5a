//! What the caller of a generated client is told, with the protocol of tonic clients: over sockets, through
//! stacks of layers, in tasks.

use std::{error::Error, io};

use echo_proto::{EchoRequest, echo_client::EchoClient, service::EchoService};
use portcullis::{
    BoxError, Breaker, BreakerLayer, Bulkhead, BulkheadLayer, PeekLayer, PolicyKind, Reason, Rejection,
    RetryLayer, RetryPolicy, Timeout, TimeoutLayer,
};
use portcullis_tests::{
    grpc::{channel, say, serve},
    net::{nowhere, soon},
};
use portcullis_tonic::{ByMethod, StatusExt, Tonic, methods};
use tonic::{Code, Status, body::Body, transport::Channel};
use tower::{ServiceBuilder, service_fn};

use crate::common::secs;

/// The policies of a stack.
#[derive(Clone)]
struct Policies {
    total: Timeout,
    retry: RetryPolicy,
    breaker: Breaker,
    bulkhead: Bulkhead,
    attempt: Timeout,
}

impl Policies {
    fn new() -> Self {
        Self {
            total: Timeout::total("status", secs(60)).unwrap(),
            retry: RetryPolicy::new("status"),
            breaker: Breaker::new("status"),
            bulkhead: Bulkhead::builder("status").max_in_flight(1).build().unwrap(),
            attempt: Timeout::attempt("status", secs(60)).unwrap(),
        }
    }
}

/// A client over a stack of every layer above a service.
macro_rules! client {
    ($policies:expr, $service:expr) => {{
        let Policies { total, retry, breaker, bulkhead, attempt } = $policies.clone();
        EchoClient::new(
            ServiceBuilder::new()
                .layer(TimeoutLayer::new(total).protocol(Tonic::default()))
                .layer(RetryLayer::new(retry).grpc().rebody(Body::new).protocol(Tonic::default()))
                .layer(PeekLayer::new())
                .layer(BreakerLayer::new(breaker).protocol(Tonic::default()))
                .layer(BulkheadLayer::new(bulkhead).protocol(Tonic::default()))
                .layer(TimeoutLayer::new(attempt).protocol(Tonic::default()))
                .service($service),
        )
    }};
}

fn metadata<'a>(status: &'a Status, key: &str) -> Option<&'a str> {
    status.metadata().get(key)?.to_str().ok()
}

/// The refusal behind a status, and the status's own word on it.
fn told(status: &Status) -> (Code, PolicyKind, &'static str) {
    let rejection = status.rejection().unwrap_or_else(|| panic!("no rejection: {status:?}"));
    assert_eq!(status.message(), rejection.to_string());
    assert_eq!(metadata(status, "portcullis-reason"), Some(rejection.reason().as_str()));
    assert_eq!(metadata(status, "content-type"), None);
    (status.code(), rejection.kind(), rejection.reason().as_str())
}

/// A refusal that has become words.
#[tokio::test]
async fn t14_a_callers_status_still_has_the_refusal() {
    let server = serve(EchoService::default()).await;
    let mut policies = Policies::new();
    policies.attempt = Timeout::attempt("status", secs(1)).unwrap();
    let mut client = client!(policies, channel(&server.url("")));
    soon(client.unary(say(0))).await.unwrap();

    let late = soon(client.unary(say(60_000))).await.unwrap_err();
    assert_eq!(told(&late), (Code::DeadlineExceeded, PolicyKind::Timeout, "timeout"));

    let taken = policies.bulkhead.try_admit().unwrap();
    let full = soon(client.unary(say(0))).await.unwrap_err();
    assert_eq!(told(&full), (Code::ResourceExhausted, PolicyKind::Bulkhead, "full"));
    drop(taken);

    policies.breaker.trip();
    let open = soon(client.unary(say(0))).await.unwrap_err();
    assert_eq!(told(&open), (Code::Unavailable, PolicyKind::Breaker, "open"));
    let pushback: u32 = metadata(&open, "grpc-retry-pushback-ms").unwrap().parse().unwrap();
    assert!((1..=5000).contains(&pushback), "{pushback}");
    assert!(open.source().is_some_and(|source| source.is::<Rejection>()), "it is the source itself");
}

/// Types that cannot be named, or are not general enough, where a future must be `Send`.
#[tokio::test]
async fn t14_in_a_spawned_task_too() {
    let policies = Policies::new();
    policies.breaker.isolate();
    let mut client = client!(policies, channel(&nowhere()));

    let call = tokio::spawn(async move {
        let status = client.unary(say(0)).await.err()?;
        let mut stream = client.server_stream(say(0)).await.err()?;
        stream.metadata_mut().clear();
        Some((status, stream))
    });

    let (unary, stream) = soon(call).await.unwrap().unwrap();
    assert_eq!(told(&unary), (Code::Unavailable, PolicyKind::Breaker, "isolated"));
    assert!(stream.rejection().is_some());
}

/// A status of the server's own that a layer replaces by another.
#[tokio::test]
async fn t14_a_servers_status_stays_as_it_is() {
    let service = EchoService::default();
    let server = serve(service.clone()).await;
    let policies = Policies::new();
    let mut client = client!(policies, channel(&server.url("")));

    for code in [Code::NotFound, Code::Aborted, Code::DataLoss, Code::Internal] {
        let request = EchoRequest { fail_code: code.into(), ..say(0) };
        let status = soon(client.unary(request)).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (code, "failed as asked"));
        assert!(status.rejection().is_none());
    }
    assert_eq!((service.calls(), policies.breaker.status().failures), (4, 2));
    assert_eq!(policies.bulkhead.status().in_flight, 0);
}

/// A connect error of which nobody can tell any more that nothing was sent.
#[tokio::test]
async fn t14_a_connect_error_keeps_its_code_and_its_sources() {
    let policies = Policies::new();
    let mut client = client!(policies, channel(&nowhere()));

    let status = soon(client.unary(say(0))).await.unwrap_err();

    assert_eq!(status.code(), Code::Unavailable);
    let mut sources = std::iter::successors(status.source(), |error| (*error).source());
    let refused = sources.find_map(|error| error.downcast_ref::<io::Error>());
    assert_eq!(refused.map(io::Error::kind), Some(io::ErrorKind::ConnectionRefused));
    assert_eq!(policies.breaker.status().failures, 3, "each attempt, because none was sent");
}

/// Errors of services that are no channel.
#[tokio::test]
async fn t14_the_errors_of_a_service_are_what_they_are() {
    let refused = || {
        let breaker = Breaker::new("below");
        breaker.trip();
        breaker.try_admit().unwrap_err()
    };
    let policies = Policies::new();
    let status = |error: fn() -> BoxError| {
        let service = service_fn(move |_: http::Request<Body>| async move {
            Err::<http::Response<Body>, BoxError>(error())
        });
        let mut client = client!(policies, service);
        async move { client.unary(say(0)).await.unwrap_err() }
    };

    let own = status(|| Status::failed_precondition("not today").into()).await;
    assert_eq!((own.code(), own.message()), (Code::FailedPrecondition, "not today"));
    assert_eq!(policies.breaker.status().failures, 0, "the caller's doing");

    let unknown = status(|| "no idea".into()).await;
    assert_eq!((unknown.code(), unknown.message()), (Code::Unknown, "no idea"));
    assert_eq!(policies.breaker.status().failures, 1);

    // Of a layer with another protocol, which tonic would make `Unknown`.
    let service = service_fn(move |_: http::Request<Body>| async move {
        Err::<http::Response<Body>, _>(io::Error::other(refused()))
    });
    let below = client!(policies, service).unary(say(0)).await.unwrap_err();
    assert_eq!(told(&below), (Code::Unavailable, PolicyKind::Breaker, "open"));
    assert_eq!(policies.breaker.status().failures, 1, "what was refused below says nothing");
}

/// A timeout below, which the breaker must count, and whose status says so.
#[tokio::test]
async fn t14_a_timeout_below_counts() {
    let server = serve(EchoService::default()).await;
    let mut policies = Policies::new();
    policies.attempt = Timeout::attempt("status", secs(1)).unwrap();
    let mut client = client!(policies, channel(&server.url("")));
    let status = soon(client.unary(say(60_000))).await.unwrap_err();
    assert!(matches!(status.rejection().unwrap().reason(), Reason::Timeout { sent: true, .. }));
    assert_eq!(policies.breaker.status().failures, 1);
}

/// A method that is made twice because another may be.
#[tokio::test]
async fn t34_each_method_has_a_policy_of_its_own() {
    const ECHO: &str = "echo.v1.Echo";
    let policies = ByMethod::default()
        .service(ECHO, RetryPolicy::builder("echo").max_attempts(2).build().unwrap())
        .method(ECHO, "ClientStream", RetryPolicy::builder("echo/all").max_attempts(3).build().unwrap())
        .except(ECHO, "ServerStream");
    let reads = methods::<Body, _>([ECHO]);
    let client = |channel: Channel| {
        let retry = RetryLayer::by(policies.clone()).grpc().rebody(Body::new).protocol(Tonic::default());
        EchoClient::new(ServiceBuilder::new().layer(retry.idempotent_if(reads.clone())).service(channel))
    };
    let failing = || EchoService::default().fail_first(100, Code::Unavailable);

    let service = failing();
    let server = serve(service.clone()).await;
    soon(client(channel(&server.url(""))).unary(say(0))).await.unwrap_err();
    assert_eq!(service.calls(), 2);

    let service = failing();
    let server = serve(service.clone()).await;
    soon(client(channel(&server.url(""))).server_stream(say(0))).await.unwrap_err();
    assert_eq!(service.calls(), 1);

    let service = failing();
    let server = serve(service.clone()).await;
    let messages = futures_util::stream::iter([say(0)]);
    soon(client(channel(&server.url(""))).client_stream(messages)).await.unwrap_err();
    assert_eq!(service.calls(), 3);
}
