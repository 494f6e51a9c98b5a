//! A generated gRPC client over a channel behind every layer.
//!
//! [`client`] is the piece to take along. The generated client reads the layers' refusals as what they
//! are: `UNAVAILABLE` from an open breaker, `RESOURCE_EXHAUSTED` from a full bulkhead,
//! `DEADLINE_EXCEEDED` from a timeout, each with `portcullis-reason` in its metadata, and with
//! `grpc-retry-pushback-ms` where it is known when to come back ([`pushback`]).

#![forbid(unsafe_code)]

use std::time::Duration;

use echo_proto::echo_client::EchoClient;
use http::{Request, Response};
use portcullis::{
    Breaker, BreakerLayer, Bulkhead, BulkheadLayer, ConfigError, Registry, RetryLayer, RetryPolicy, Timeout,
    TimeoutLayer, TimeoutScope, protocol::CallError,
};
use tonic::{GrpcMethod, Status, body::Body, transport::Channel};
use tower::{ServiceBuilder, util::BoxCloneService};

/// The channel with its layers. The box only gives the type a name; clones share everything.
pub type Guarded = BoxCloneService<Request<Body>, Response<Body>, CallError>;

/// A healthy answer takes a few milliseconds.
const ATTEMPT: Duration = Duration::from_millis(500);
/// Time for all attempts and the waits between them.
const TOTAL: Duration = Duration::from_secs(2);
/// Several times what is in flight on a good day.
const MAX_IN_FLIGHT: u32 = 32;

/// The policies of one dependency.
#[derive(Clone, Debug)]
pub struct Policies {
    /// The whole call.
    pub total: Timeout,
    /// What is tried again, and how often.
    pub retry: RetryPolicy,
    /// Whether the dependency is called at all.
    pub breaker: Breaker,
    /// How much is in flight, streams included.
    pub bulkhead: Bulkhead,
    /// One attempt.
    pub attempt: Timeout,
}

impl Policies {
    /// The policies of the dependency of this name.
    ///
    /// # Errors
    ///
    /// A setting outside its range.
    pub fn new(name: &str, registry: &Registry) -> Result<Self, ConfigError> {
        Ok(Self {
            total: Timeout::builder(name, TOTAL).registry(registry).build()?,
            retry: RetryPolicy::builder(name).registry(registry).build()?,
            breaker: Breaker::builder(name).registry(registry).build()?,
            bulkhead: Bulkhead::builder(name).max_in_flight(MAX_IN_FLIGHT).registry(registry).build()?,
            attempt: Timeout::builder(name, ATTEMPT)
                .scope(TimeoutScope::Attempt)
                .registry(registry)
                .build()?,
        })
    }
}

/// A client behind these policies. From outside: total timeout, retry, breaker, bulkhead, attempt timeout.
///
/// Make the channel with `connect_lazy`, so that the layers see it when it cannot connect.
pub fn client(policies: &Policies, channel: Channel) -> EchoClient<Guarded> {
    let policies = policies.clone();
    let stack = ServiceBuilder::new()
        .map_response(|response: Response<_>| response.map(Body::new))
        .layer(TimeoutLayer::new(policies.total).grpc())
        .layer(
            RetryLayer::new(policies.retry)
                .grpc()
                // The retry buffers what it sends; `rebody` makes it the body that channels take.
                .rebody(Body::new)
                .idempotent_if(is_read),
        )
        .layer(BreakerLayer::new(policies.breaker).grpc())
        .layer(BulkheadLayer::new(policies.bulkhead).grpc())
        .layer(TimeoutLayer::new(policies.attempt).grpc())
        .service(channel);
    EchoClient::new(BoxCloneService::new(stack))
}

/// gRPC does not say which calls may be made twice: every one is a POST. Those that only read may; what
/// was never sent is tried again in any case.
fn is_read(request: &Request<Body>) -> bool {
    let method = request.extensions().get::<GrpcMethod<'_>>();
    method.is_some_and(|method| matches!(method.method(), "Unary" | "ServerStream"))
}

/// When the one who refused wants to be asked again.
pub fn pushback(status: &Status) -> Option<Duration> {
    let millis = status.metadata().get("grpc-retry-pushback-ms")?.to_str().ok()?;
    millis.parse().ok().map(Duration::from_millis)
}
