//! gRPC service configs below a generated client, over sockets.

use echo_proto::{EchoRequest, echo_client::EchoClient, service::EchoService};
use futures_util::StreamExt;
use portcullis::{
    Breaker, BreakerLayer, PeekLayer, PolicyKind, Registry, ServiceConfig, ServiceConfigLayer, TimeoutScope,
};
use portcullis_tests::{
    grpc::{channel, say, say_often, serve},
    net::{Server, soon},
};
use portcullis_tonic::{StatusExt, Tonic};
use tonic::{Code, body::Body};
use tower::ServiceBuilder;

/// Two methods, each with rules of its own, and others for the rest of the service.
const CONFIG: &str = r#"{
    "methodConfig": [
        {
            "name": [{ "service": "echo.v1.Echo", "method": "Unary" }],
            "timeout": "1s",
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.01s",
                "maxBackoff": "0.05s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE", "RESOURCE_EXHAUSTED"]
            }
        },
        {
            "name": [{ "service": "echo.v1.Echo", "method": "ServerStream" }],
            "hedgingPolicy": { "maxAttempts": 2, "hedgingDelay": "0.05s", "nonFatalStatusCodes": ["ABORTED"] }
        },
        { "name": [{ "service": "echo.v1.Echo" }], "timeout": "60s" }
    ],
    "retryThrottling": { "maxTokens": 100, "tokenRatio": 0.1 }
}"#;

fn config() -> ServiceConfig {
    ServiceConfig::in_registry("echo", CONFIG, &Registry::new()).unwrap()
}

macro_rules! client {
    ($config:expr, $server:expr) => {
        EchoClient::new(
            ServiceBuilder::new()
                .layer(ServiceConfigLayer::new($config.clone()).rebody(Body::new).protocol(Tonic::default()))
                .layer(PeekLayer::new())
                .layer(BreakerLayer::new(Breaker::new("service_config")).protocol(Tonic::default()))
                .service(channel(&$server.url(""))),
        )
    };
}

async fn failing(calls: u64, code: Code) -> (Server, EchoService) {
    let service = EchoService::default().fail_first(calls, code);
    (serve(service.clone()).await, service)
}

#[tokio::test]
async fn r10_each_method_goes_by_its_own_policy() {
    let config = config();

    let (server, service) = failing(2, Code::Unavailable).await;
    let said = soon(client!(config, server).unary(say(0))).await.unwrap();
    assert_eq!((said.into_inner().message.as_str(), service.calls()), ("hello", 3));

    let (server, service) = failing(1, Code::Internal).await;
    let status = soon(client!(config, server).unary(say(0))).await.unwrap_err();
    assert_eq!((status.code(), service.calls()), (Code::Internal, 1), "not one of its codes");

    let (server, service) = failing(1, Code::Aborted).await;
    let stream = soon(client!(config, server).server_stream(say_often(3, 0))).await.unwrap();
    let replies = soon(stream.into_inner().collect::<Vec<_>>()).await;
    assert_eq!((replies.iter().filter(|reply| reply.is_ok()).count(), service.calls()), (3, 2));

    let (server, service) = failing(1, Code::Unavailable).await;
    let messages = futures_util::stream::iter([say(0)]);
    let status = soon(client!(config, server).client_stream(messages)).await.unwrap_err();
    assert_eq!((status.code(), service.calls()), (Code::Unavailable, 1), "it has no policy");
}

/// tonic's own `Cancelled`, which comes at the same time.
#[tokio::test]
async fn t46_a_methods_time_ends_as_deadline_exceeded() {
    let server = serve(EchoService::default()).await;
    let mut client = client!(config(), server);
    for own in [None, Some(200)] {
        let mut request = tonic::Request::new(say(60_000));
        if let Some(millis) = own {
            request.set_timeout(std::time::Duration::from_millis(millis));
        }
        let status = soon(client.unary(request)).await.unwrap_err();
        assert_eq!(status.code(), Code::DeadlineExceeded, "{own:?}: {status:?}");
        let rejection = status.rejection().expect("a timeout");
        assert_eq!(
            (rejection.kind(), &**rejection.policy()),
            (PolicyKind::Timeout, "echo/echo.v1.Echo/Unary")
        );
        assert_eq!(TimeoutScope::Total.as_str(), "total");
    }
}

/// A slow attempt, which a hedge overtakes.
#[tokio::test]
async fn r10_a_slow_call_is_hedged() {
    let config = config();
    let service = EchoService::default();
    let server = serve(service.clone()).await;
    let request = EchoRequest { fail_code: Code::NotFound.into(), ..say(300) };
    let status = soon(client!(config, server).server_stream(request)).await.unwrap_err();
    assert_eq!((status.code(), service.calls()), (Code::NotFound, 2), "the first answer counts");
    assert_eq!(config.hedge("/echo.v1.Echo/ServerStream").unwrap().status().sent, 1);
}

#[tokio::test]
async fn r10_a_client_follows_a_reload() {
    let config = config();
    let (server, service) = failing(1, Code::Unavailable).await;
    let mut client = client!(config, server);
    config.reload("{}").unwrap();
    assert_eq!(soon(client.unary(say(0))).await.unwrap_err().code(), Code::Unavailable);
    config.reload(CONFIG).unwrap();
    soon(client.unary(say(0))).await.unwrap();
    assert_eq!(service.calls(), 2);
}
