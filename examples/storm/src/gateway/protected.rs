//! The same gateway behind Portcullis: a stack around each client, three layers around the router.
//!
//! From outside: total timeout, retry, breaker, bulkhead, attempt timeout. The breaker sees every
//! attempt, and what the bulkhead refuses does not count against the upstream. A probe below them all
//! asks in the background, and closes the breaker as soon as the upstream is back.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use echo_proto::EchoRequest;
use echo_proto::echo_client::EchoClient;
use http::{Request, Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use portcullis::{
    Breaker, BreakerLayer, Bulkhead, BulkheadLayer, Health, HealthLayer, Probe, ProbeLayer, Registry,
    RetryLayer, RetryPolicy, Timeout, TimeoutLayer, TimeoutScope,
};
use tonic::transport::{Channel, Endpoint};
use tower::util::BoxCloneSyncService;
use tower::{BoxError, ServiceBuilder};

use super::{Backends, DEADLINE, GrpcBackend, HttpBackend};

/// A healthy upstream answers in 10 ms; a machine that has other things to do may add a lot to that.
const ATTEMPT: Duration = Duration::from_millis(250);
/// All attempts together, with some of the gateway's deadline left for itself.
const CALL: Duration = Duration::from_millis(450);
/// Short, because a restart of these upstreams is.
const OPEN_FOR: Duration = Duration::from_millis(300);
/// With hundreds of calls per second, fewer failures in a row may be one hiccup.
const FAILURES_IN_A_ROW: u32 = 20;
/// Often enough to notice a restart at once, rare enough to cost a hundredth of the load.
const PROBE_EVERY: Duration = Duration::from_millis(250);
/// While it is down.
const PROBE_DOWN_EVERY: Duration = Duration::from_millis(100);
/// One request in ten of a flaky upstream fails, and so does one probe: three failures in a row come by chance
/// once in a hundred storms, and would open the breaker of an upstream that works.
const PROBES_UNTIL_DOWN: u32 = 6;
/// Eight times what is in flight on a healthy day.
const IN_FLIGHT: u32 = 32;
/// What the gateway holds at a time, over all routes.
const GATEWAY_IN_FLIGHT: u32 = 200;

/// The policies of one upstream.
struct Policies {
    call: Timeout,
    retry: RetryPolicy,
    breaker: Breaker,
    bulkhead: Bulkhead,
    attempt: Timeout,
    probe: Probe,
}

impl Policies {
    fn of(name: &'static str, registry: &Registry) -> Result<Self, BoxError> {
        let breaker = Breaker::builder(name)
            .consecutive_failures(FAILURES_IN_A_ROW)
            .open_for_exactly(OPEN_FOR)
            .registry(registry)
            .build()?;
        let probe = Probe::builder(name)
            .interval(PROBE_EVERY)
            .interval_when_down(PROBE_DOWN_EVERY)
            .timeout(ATTEMPT)
            .down_after(PROBES_UNTIL_DOWN)
            .feed(&breaker)
            .registry(registry)
            .build()?;
        Ok(Self {
            call: Timeout::builder(name, CALL).whole_response(true).registry(registry).build()?,
            retry: RetryPolicy::builder(name).registry(registry).build()?,
            breaker,
            bulkhead: Bulkhead::builder(name).max_in_flight(IN_FLIGHT).registry(registry).build()?,
            attempt: Timeout::builder(format!("{name} attempt"), ATTEMPT)
                .scope(TimeoutScope::Attempt)
                .registry(registry)
                .build()?,
            probe,
        })
    }
}

/// Both clients, each in its stack.
pub(crate) fn backends(
    http: SocketAddr,
    grpc: SocketAddr,
    registry: &Registry,
) -> Result<Backends, BoxError> {
    let stock: Uri = format!("http://{http}/stock").parse()?;
    let channel = Endpoint::from_shared(format!("http://{grpc}"))?.connect_lazy();
    let (http, grpc) = (Policies::of("stock", registry)?, Policies::of("echo", registry)?);
    let probe = Some(grpc.probe.clone());
    Ok(Backends {
        http: http_backend(http, stock.clone()),
        stock,
        grpc: EchoClient::new(grpc_backend(grpc, channel)),
        probe,
    })
}

fn http_backend(policies: Policies, stock: Uri) -> HttpBackend {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let probe = move || {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = stock.clone();
        request
    };
    let client = ServiceBuilder::new()
        .map_response(|answer: Response<_>| answer.map(Body::new))
        .layer(TimeoutLayer::new(policies.call).http_client())
        .layer(RetryLayer::new(policies.retry).http_client().rebody(Body::new))
        .layer(BreakerLayer::new(policies.breaker).http_client())
        .layer(BulkheadLayer::new(policies.bulkhead).http_client())
        .layer(TimeoutLayer::new(policies.attempt).http_client())
        .layer(ProbeLayer::new(policies.probe, probe).http_client())
        .service(Client::builder(TokioExecutor::new()).build(connector));
    BoxCloneSyncService::new(client)
}

fn grpc_backend(policies: Policies, channel: Channel) -> GrpcBackend {
    let client = EchoClient::new(channel.clone());
    policies.probe.spawn(move || {
        let mut client = client.clone();
        async move { client.unary(EchoRequest::default()).await.map(drop).map_err(BoxError::from) }
    });
    let channel = ServiceBuilder::new()
        .map_response(|answer: Response<_>| answer.map(tonic::body::Body::new))
        .layer(TimeoutLayer::new(policies.call).grpc())
        // An echo may be asked for twice; gRPC itself does not say so of any call.
        .layer(RetryLayer::new(policies.retry).grpc().idempotent().rebody(tonic::body::Body::new))
        .layer(BreakerLayer::new(policies.breaker).grpc())
        .layer(BulkheadLayer::new(policies.bulkhead).grpc())
        .layer(TimeoutLayer::new(policies.attempt).grpc())
        .service(channel);
    BoxCloneSyncService::new(channel)
}

/// The router with health endpoints, a deadline and a bound on what it holds.
pub(crate) fn guard(router: Router, registry: &Registry) -> Result<Router, BoxError> {
    let deadline = Timeout::builder("gateway", DEADLINE).registry(registry).build()?;
    let bulkhead =
        Bulkhead::builder("gateway").max_in_flight(GATEWAY_IN_FLIGHT).registry(registry).build()?;
    Ok(router.layer(
        ServiceBuilder::new()
            .layer(HealthLayer::new(Health::new(registry)))
            .layer(TimeoutLayer::new(deadline).http_server())
            .layer(BulkheadLayer::new(bulkhead).http_server()),
    ))
}
