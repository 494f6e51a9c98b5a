//! A gRPC server behind a drain, a breaker, a bulkhead and a timeout, which tells its health.
//!
//! [`layers`] is the piece to take along: a stack for `tonic::transport::Server::builder().layer(…)`. It
//! refuses by trailers-only responses, which any client reads as what they are:
//!
//! | what happens | status | besides |
//! |---|---|---|
//! | the bulkhead is full | `RESOURCE_EXHAUSTED` | `portcullis-reason: full` |
//! | time is up | `DEADLINE_EXCEEDED` | tonic's own timeout says `CANCELLED` |
//! | the breaker is open | `UNAVAILABLE` | `grpc-retry-pushback-ms` |
//! | the server ends | `UNAVAILABLE` | `grpc-retry-pushback-ms: 0` |
//!
//! A stream keeps its permit until it ends, and is judged by the status in its trailers.

#![forbid(unsafe_code)]

use std::time::Duration;

use echo_proto::{echo_server::EchoServer, service::EchoService};
use portcullis::{
    Breaker, BreakerLayer, Bulkhead, BulkheadLayer, ConfigError, Drain, DrainLayer, Grpc, Health, Registry,
    Timeout, TimeoutLayer,
    drain::{Preset, Report},
};
use portcullis_tonic::health::GrpcHealth;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Error, Server};
use tower::{
    ServiceBuilder,
    layer::util::{Identity, Stack},
};

/// A handler that takes longer until its first answer hangs.
const LIMIT: Duration = Duration::from_secs(1);
/// What the process can work on at a time, streams included.
const MAX_IN_FLIGHT: u32 = 100;

/// The policies of one server.
#[derive(Clone, Debug)]
pub struct Policies {
    /// What `grpc.health.v1.Health` tells.
    pub health: GrpcHealth,
    /// How the server ends: its health says so first, and what is in flight is finished.
    pub drain: Drain,
    /// Whether handlers are called at all.
    pub breaker: Breaker,
    /// How much is in flight.
    pub bulkhead: Bulkhead,
    /// One call, until its first answer; to time whole streams, build it with `whole_response`.
    pub timeout: Timeout,
}

impl Policies {
    /// The policies of the server of this name.
    ///
    /// # Errors
    ///
    /// A setting outside its range.
    pub fn new(name: &str, registry: &Registry) -> Result<Self, ConfigError> {
        let health = Health::new(registry);
        let drain =
            Drain::builder(name).preset(Preset::Kubernetes).health(&health).registry(registry).build()?;
        Ok(Self {
            health: GrpcHealth::new(&health, registry).service::<EchoServer<EchoService>>().drain(&drain),
            drain,
            breaker: Breaker::builder(name).registry(registry).build()?,
            bulkhead: Bulkhead::builder(name).max_in_flight(MAX_IN_FLIGHT).registry(registry).build()?,
            timeout: Timeout::builder(name, LIMIT).registry(registry).build()?,
        })
    }
}

/// The type of the stack, the outermost layer last.
pub type Layers = Stack<
    TimeoutLayer<Grpc>,
    Stack<BulkheadLayer<Grpc>, Stack<BreakerLayer<Grpc>, Stack<DrainLayer<Grpc>, Identity>>>,
>;

/// The layers of a server. From outside: drain, breaker, bulkhead, timeout, so that the breaker hears of calls
/// that took too long.
pub fn layers(policies: &Policies) -> Layers {
    let policies = policies.clone();
    ServiceBuilder::new()
        .layer(DrainLayer::new(policies.drain).grpc())
        .layer(BreakerLayer::new(policies.breaker).grpc())
        .layer(BulkheadLayer::new(policies.bulkhead).grpc())
        .layer(TimeoutLayer::new(policies.timeout).grpc())
        .into_inner()
}

/// Serves `echo` behind these policies until the drain is over: begun, it lets the calls finish that are under way.
///
/// # Errors
///
/// When the server cannot go on.
pub async fn serve(listener: TcpListener, echo: EchoService, policies: &Policies) -> Result<Report, Error> {
    let server = Server::builder()
        .layer(layers(policies))
        .add_service(policies.health.clone().into_server())
        .add_service(EchoServer::new(echo))
        .serve_with_incoming_shutdown(TcpListenerStream::new(listener), policies.drain.signal());
    policies.drain.serve(server).await
}
