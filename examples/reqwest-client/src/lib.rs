//! reqwest's client behind every layer: as the tower service that it is, and as one of `http` requests.
//!
//! | | [`plain`] | [`over_http`] |
//! |---|---|---|
//! | takes and gives | [`reqwest::Request`], [`reqwest::Response`] | [`http::Request`], [`http::Response`] |
//! | judges by | errors, and what [`judge`] says of answers | errors, status, `Retry-After` |
//! | a permit comes back | with the head of the answer | when the answer was read |
//! | an answer that breaks off is | a success | a failure |
//!
//! The first is a drop-in where code speaks reqwest; the second sees more. In both, from outside: total
//! timeout, retry, breaker, bulkhead, attempt timeout.

#![forbid(unsafe_code)]

use std::time::Duration;

use portcullis::{
    BoxError, Boxed, Breaker, BreakerLayer, Bulkhead, BulkheadLayer, ConfigError, Failure, FailureKind,
    Registry, RetryLayer, RetryPolicy, Timeout, TimeoutLayer, TimeoutScope, Verdict,
};
use portcullis_reqwest::{ReqwestReplay, ReqwestService, TryCloneReplay};
use reqwest::{Body, StatusCode};
use tower::{ServiceBuilder, util::BoxCloneService};

/// The client with its layers, for reqwest's own requests. The box only gives the type a name.
pub type Plain = BoxCloneService<reqwest::Request, reqwest::Response, BoxError>;

/// The client with its layers, for requests of `http`. The box only gives the type a name.
pub type OverHttp = BoxCloneService<http::Request<Body>, http::Response<Body>, BoxError>;

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
    /// How much is in flight.
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

/// The client itself behind these policies.
///
/// reqwest sends some requests again by itself; a client that is built with
/// `.retry(reqwest::retry::never())` leaves that to the layers.
pub fn plain(policies: &Policies, client: reqwest::Client) -> Plain {
    let policies = policies.clone();
    let protocol = Boxed::default().classify(judge);
    let stack = ServiceBuilder::new()
        .layer(TimeoutLayer::new(policies.total).protocol(protocol))
        .layer(RetryLayer::new(policies.retry).protocol(protocol).replay(TryCloneReplay))
        .layer(BreakerLayer::new(policies.breaker).protocol(protocol))
        .layer(BulkheadLayer::new(policies.bulkhead).protocol(protocol))
        .layer(TimeoutLayer::new(policies.attempt).protocol(protocol))
        .service(client);
    BoxCloneService::new(stack)
}

/// To reqwest every answer is `Ok`; this says which of them are failures. Errors are judged as usual.
pub fn judge(result: Result<&reqwest::Response, &BoxError>) -> Option<Verdict> {
    let kind = match result.ok()?.status() {
        StatusCode::TOO_MANY_REQUESTS => FailureKind::RateLimited,
        StatusCode::GATEWAY_TIMEOUT => FailureKind::Timeout,
        StatusCode::SERVICE_UNAVAILABLE => FailureKind::Unavailable,
        status if status.is_server_error() => FailureKind::Internal,
        _ => return Some(Verdict::Success),
    };
    Some(Failure::new(kind).into())
}

/// The client as a service of `http` requests, behind these policies; see [`plain`] for how to build it.
pub fn over_http(policies: &Policies, client: reqwest::Client) -> OverHttp {
    let policies = policies.clone();
    let stack = ServiceBuilder::new()
        .map_response(|response: http::Response<_>| response.map(Body::wrap))
        .layer(TimeoutLayer::new(policies.total).http_client())
        // Keeps a body in memory what it is, so that reqwest still follows redirects with it.
        .layer(RetryLayer::new(policies.retry).http_client().replay(ReqwestReplay::default()))
        .layer(BreakerLayer::new(policies.breaker).http_client())
        .layer(BulkheadLayer::new(policies.bulkhead).http_client())
        .layer(TimeoutLayer::new(policies.attempt).http_client())
        .service(ReqwestService::new(client));
    BoxCloneService::new(stack)
}
