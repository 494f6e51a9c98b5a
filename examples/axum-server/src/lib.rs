//! An axum server behind every layer: health, drain, total timeout, retry, breaker, bulkhead, attempt timeout.
//!
//! [`protect`] is the piece to take along. The layers answer by themselves, with problem documents and
//! the right status, so that `Router::layer` needs no `HandleErrorLayer` and `axum::serve` takes the
//! router as it is:
//!
//! | what happens | HTTP | gRPC on the same router |
//! |---|---|---|
//! | the breaker is open | 503, `Retry-After` | `UNAVAILABLE`, pushback |
//! | the bulkhead is full | 503 | `RESOURCE_EXHAUSTED` |
//! | time is up | 504 | `DEADLINE_EXCEEDED` |
//! | the server ends | 503, `Connection: close` | `UNAVAILABLE`, pushback 0 |
//! | `GET /livez`, `/readyz`, `/health` | answered before all of it | |
//!
//! The program shows `/metrics` besides, for Prometheus.

#![forbid(unsafe_code)]

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    extract::Path,
    http::StatusCode,
    routing::{any, get},
};
use portcullis::{
    Breaker, BreakerLayer, Bulkhead, BulkheadLayer, ConfigError, Drain, DrainLayer, Health, HealthLayer,
    HealthMonitor, Registry, RetryLayer, RetryPolicy, Timeout, TimeoutLayer, TimeoutScope, drain::Preset,
};
use tower::ServiceBuilder;

/// A handler that takes longer hangs.
const ATTEMPT: Duration = Duration::from_secs(1);
/// What a caller should have to wait at most, retries included.
const TOTAL: Duration = Duration::from_secs(3);
/// What the process can work on at a time.
const MAX_IN_FLIGHT: u32 = 100;
/// What may wait besides: a short queue takes up bursts, a long one only makes everybody late.
const MAX_QUEUED: u32 = 50;
/// And for how long.
const MAX_WAIT: Duration = Duration::from_millis(100);

/// The policies of one server. They are made once: axum layers its routes anew for each connection, and
/// state that was made there would count nothing.
#[derive(Clone, Debug)]
pub struct Policies {
    /// What `/livez`, `/readyz` and `/health` tell.
    pub health: Health,
    /// What is asked in the background, besides the policies. Add a check for all that the handlers need.
    pub monitor: HealthMonitor,
    /// How the server ends: readiness fails first, and what is in flight is finished.
    pub drain: Drain,
    /// The whole request, with the reading of its answer.
    pub total: Timeout,
    /// What is tried again: idempotent requests that failed. Leave it out where handlers do not fail by
    /// chance.
    pub retry: RetryPolicy,
    /// Whether handlers are called at all.
    pub breaker: Breaker,
    /// How much is in flight.
    pub bulkhead: Bulkhead,
    /// One attempt.
    pub attempt: Timeout,
}

impl Policies {
    /// The policies of the server of this name, and the health of all that has joined `registry`.
    ///
    /// # Errors
    ///
    /// A setting outside its range.
    pub fn new(name: &str, registry: &Registry) -> Result<Self, ConfigError> {
        let monitor = HealthMonitor::new(registry);
        let health = Health::of(&monitor);
        Ok(Self {
            drain: Drain::builder(name)
                .preset(Preset::Kubernetes)
                .health(&health)
                .registry(registry)
                .build()?,
            health,
            monitor,
            total: Timeout::builder(name, TOTAL).whole_response(true).registry(registry).build()?,
            retry: RetryPolicy::builder(name).registry(registry).build()?,
            breaker: Breaker::builder(name).registry(registry).build()?,
            bulkhead: Bulkhead::builder(name)
                .max_in_flight(MAX_IN_FLIGHT)
                .queue(MAX_QUEUED, MAX_WAIT)
                .registry(registry)
                .build()?,
            attempt: Timeout::builder(name, ATTEMPT)
                .scope(TimeoutScope::Attempt)
                .registry(registry)
                .build()?,
        })
    }
}

/// Puts these policies in front of a router. Add routes first: axum layers those that are there.
pub fn protect(router: Router, policies: &Policies) -> Router {
    let policies = policies.clone();
    router.layer(
        ServiceBuilder::new()
            // Outermost, so that it answers while everything below is full or open.
            .layer(HealthLayer::new(policies.health))
            // Around all that takes time: who comes when the server ends goes elsewhere.
            .layer(DrainLayer::new(policies.drain).http_server())
            .layer(TimeoutLayer::new(policies.total).http_server())
            // The retry buffers what it hands on; `rebody` makes it the body that handlers take.
            .layer(RetryLayer::new(policies.retry).http_server().rebody(Body::new))
            .layer(BreakerLayer::new(policies.breaker).http_server())
            .layer(BulkheadLayer::new(policies.bulkhead).http_server())
            .layer(TimeoutLayer::new(policies.attempt).http_server()),
    )
}

/// Something to protect: `/stock/{item}` works, `/broken` fails, `/slow` never answers.
pub fn routes() -> Router {
    Router::new()
        .route("/stock/{item}", get(async |Path(item): Path<String>| format!("{item}: 12 in stock\n")))
        .route("/broken", any(async || StatusCode::INTERNAL_SERVER_ERROR))
        .route("/slow", any(async || std::future::pending::<()>().await))
}
