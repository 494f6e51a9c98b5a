//! hyper-util's client behind every layer, with a probe that feeds the breaker.
//!
//! [`Policies`] are made once for each dependency; [`client`] puts them around hyper-util's client. From
//! outside: total timeout, retry, breaker, bulkhead, attempt timeout, probe. The breaker sees every
//! attempt, the bulkhead's refusals do not count against the dependency, and the probe asks by a way
//! that no other layer can close.

#![forbid(unsafe_code)]

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Empty, Full, combinators::UnsyncBoxBody};
use hyper_util::{client::legacy, rt::TokioExecutor};
use portcullis::{
    BoxError, Breaker, BreakerLayer, Bulkhead, BulkheadLayer, ConfigError, Probe, ProbeLayer, Registry,
    RetryLayer, RetryPolicy, Timeout, TimeoutLayer, retry::ReplayBody,
};
use tower::{ServiceBuilder, util::BoxCloneService};

/// A body of any kind.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// The client with its layers. The box only gives the type a name; clones share everything.
pub type Client = BoxCloneService<Request<Full<Bytes>>, Response<Body>, BoxError>;

/// A healthy answer takes a few milliseconds.
const ATTEMPT: Duration = Duration::from_millis(500);
/// Time for all attempts and the waits between them, and for reading the answer.
const TOTAL: Duration = Duration::from_secs(2);
/// Several times what is in flight on a good day.
const MAX_IN_FLIGHT: u32 = 32;

/// The policies of one dependency.
#[derive(Clone, Debug)]
pub struct Policies {
    /// The whole call, with the reading of the answer.
    pub total: Timeout,
    /// What is tried again, and how often.
    pub retry: RetryPolicy,
    /// Whether the dependency is called at all.
    pub breaker: Breaker,
    /// How much is in flight.
    pub bulkhead: Bulkhead,
    /// One attempt.
    pub attempt: Timeout,
    /// Asks in the background, opens the breaker and closes it.
    pub probe: Probe,
}

impl Policies {
    /// The policies of the dependency of this name.
    ///
    /// # Errors
    ///
    /// A setting outside its range.
    pub fn new(name: &str, registry: &Registry) -> Result<Self, ConfigError> {
        let breaker = Breaker::builder(name).registry(registry).build()?;
        Ok(Self {
            total: Timeout::builder(name, TOTAL).whole_response(true).registry(registry).build()?,
            retry: RetryPolicy::builder(name).registry(registry).build()?,
            bulkhead: Bulkhead::builder(name).max_in_flight(MAX_IN_FLIGHT).registry(registry).build()?,
            attempt: Timeout::builder(name, ATTEMPT)
                .scope(portcullis::TimeoutScope::Attempt)
                .registry(registry)
                .build()?,
            probe: Probe::builder(name).feed(&breaker).registry(registry).build()?,
            breaker,
        })
    }
}

/// A client behind these policies, whose probe asks for `health`.
///
/// Call it within a tokio runtime: the probe starts here, and stops with the last clone of the client and
/// of the policies.
pub fn client(policies: &Policies, health: Uri) -> Client {
    let policies = policies.clone();
    let question = move || {
        let mut request = Request::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
        *request.uri_mut() = health.clone();
        request
    };
    let stack = ServiceBuilder::new()
        .map_response(|response: Response<_>| response.map(Body::new))
        .layer(TimeoutLayer::new(policies.total).http_client())
        // The retry buffers what it sends; `rebody` makes it the one type that the probe sends too.
        .layer(RetryLayer::new(policies.retry).http_client().rebody(ReplayBody::boxed_unsync))
        .layer(BreakerLayer::new(policies.breaker).http_client())
        .layer(BulkheadLayer::new(policies.bulkhead).http_client())
        .layer(TimeoutLayer::new(policies.attempt).http_client())
        .layer(ProbeLayer::new(policies.probe, question).http_client())
        .service(legacy::Client::builder(TokioExecutor::new()).build_http::<Body>());
    BoxCloneService::new(stack)
}
