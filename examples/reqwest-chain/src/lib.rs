//! A stack of every layer as one middleware of a `reqwest-middleware` chain, between two others.
//!
//! What stands before the stack runs once for each call: tracing, say. What stands after it runs once
//! for each attempt, and not at all when the stack refuses: signing, or [`NumberAttempts`]. The client
//! stays a `reqwest_middleware::ClientWithMiddleware`; nothing changes for those who use it.

#![forbid(unsafe_code)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use async_trait::async_trait;
use http::{Extensions, HeaderValue};
use portcullis::{
    Breaker, BreakerLayer, Bulkhead, BulkheadLayer, ConfigError, Registry, RetryLayer, RetryPolicy, Timeout,
    TimeoutLayer, TimeoutScope,
};
use portcullis_reqwest::{ReqwestReplay, TowerMiddleware};
use reqwest::{Request, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};
use tower::ServiceBuilder;

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

/// The layers as one middleware. From outside: total timeout, retry, breaker, bulkhead, attempt timeout.
pub fn stack(policies: &Policies) -> impl Middleware + use<> {
    let policies = policies.clone();
    TowerMiddleware::new(
        ServiceBuilder::new()
            .layer(TimeoutLayer::new(policies.total).http_client())
            // Keeps a body in memory what it is, so that reqwest still follows redirects with it.
            .layer(RetryLayer::new(policies.retry).http_client().replay(ReqwestReplay::default()))
            .layer(BreakerLayer::new(policies.breaker).http_client())
            .layer(BulkheadLayer::new(policies.bulkhead).http_client())
            .layer(TimeoutLayer::new(policies.attempt).http_client()),
    )
}

/// The chain: calls are counted, then come the layers, then attempts are numbered.
pub fn client(policies: &Policies, client: reqwest::Client, calls: &CountCalls) -> ClientWithMiddleware {
    ClientBuilder::new(client).with(calls.clone()).with(stack(policies)).with(NumberAttempts).build()
}

/// A middleware that stands before the stack: it sees each call once.
#[derive(Clone, Debug, Default)]
pub struct CountCalls(Arc<AtomicU32>);

impl CountCalls {
    /// Calls so far.
    pub fn count(&self) -> u32 {
        self.0.load(Relaxed)
    }
}

/// Shared by all attempts of a call, because it is in the extensions before the stack is.
#[derive(Clone, Default)]
struct Attempts(Arc<AtomicU32>);

#[async_trait]
impl Middleware for CountCalls {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        self.0.fetch_add(1, Relaxed);
        extensions.insert(Attempts::default());
        next.run(request, extensions).await
    }
}

/// A middleware that stands after the stack: it sees each attempt, and numbers it in a header.
#[derive(Clone, Copy, Debug)]
pub struct NumberAttempts;

/// The header in which the number stands.
pub const ATTEMPT_HEADER: &str = "x-attempt";

#[async_trait]
impl Middleware for NumberAttempts {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let attempts = extensions.get_or_insert_default::<Attempts>();
        let number = attempts.0.fetch_add(1, Relaxed) + 1;
        request.headers_mut().insert(ATTEMPT_HEADER, HeaderValue::from(number));
        let mut response = next.run(request, extensions).await?;
        response.headers_mut().insert(ATTEMPT_HEADER, HeaderValue::from(number));
        Ok(response)
    }
}
