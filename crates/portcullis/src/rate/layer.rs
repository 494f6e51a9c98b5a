//! The rate limit in a tower stack.

use tower_layer::Layer;

#[cfg(feature = "http")]
use super::TellHeaders;
use super::{One, RateLimit, RateLimitService, Silent};
use crate::{Boxed, Typed};
#[cfg(feature = "http")]
use crate::{Grpc, HttpClient, HttpServer};

/// Puts a [`RateLimit`] in front of a service.
///
/// The protocol is [`Boxed`] unless another is chosen, and every request takes one permit. All services made by it,
/// and by its clones, share the one limit.
#[derive(Clone, Debug)]
pub struct RateLimitLayer<P = Boxed, K = RateLimit, C = One, H = Silent> {
    limits: K,
    protocol: P,
    cost: C,
    tell: H,
}

impl RateLimitLayer {
    /// A layer of this rate limit.
    pub fn new(limit: RateLimit) -> Self {
        Self::by(limit)
    }
}

impl<K> RateLimitLayer<Boxed, K> {
    /// A layer of the rate limits that are picked for each request; see [`KeyedRateLimit::by`](super::KeyedRateLimit::by).
    /// A request without a key is let through. Where callers may leave it out, give those one too, by a function that
    /// returns `Some(Box::from(tenant.unwrap_or("none")))`.
    pub fn by(limits: K) -> Self {
        Self { limits, protocol: Boxed::default(), cost: One, tell: Silent }
    }
}

impl<P, K, C, H> RateLimitLayer<P, K, C, H> {
    /// The same layer with this [protocol](crate::protocol).
    pub fn protocol<Q>(self, protocol: Q) -> RateLimitLayer<Q, K, C, H> {
        let Self { limits, cost, tell, .. } = self;
        RateLimitLayer { limits, protocol, cost, tell }
    }

    /// Lets each request take so many permits.
    ///
    /// ```
    /// use portcullis::{RateLimit, RateLimitLayer};
    ///
    /// struct Batch { rows: Vec<u64> }
    ///
    /// let layer = RateLimitLayer::new(RateLimit::new("rows")).cost(|batch: &Batch| batch.rows.len() as u32);
    /// # let _ = layer;
    /// ```
    pub fn cost<Req, F: Fn(&Req) -> u32>(self, cost: F) -> RateLimitLayer<P, K, F, H> {
        let Self { limits, protocol, tell, .. } = self;
        RateLimitLayer { limits, protocol, cost, tell }
    }

    /// For services with an error type of their own; see [`Typed`].
    pub fn typed(self) -> RateLimitLayer<Typed, K, C, H> {
        self.protocol(Typed::default())
    }
}

#[cfg(feature = "http")]
impl<P, K, C, H> RateLimitLayer<P, K, C, H> {
    /// For HTTP servers; see [`HttpServer`]. A refusal is a 429 with `Retry-After`.
    pub fn http_server(self) -> RateLimitLayer<HttpServer, K, C, H> {
        self.protocol(HttpServer::default())
    }

    /// For HTTP clients; see [`HttpClient`].
    pub fn http_client(self) -> RateLimitLayer<HttpClient, K, C, H> {
        self.protocol(HttpClient::default())
    }

    /// For gRPC; see [`Grpc`]. A refusal is `RESOURCE_EXHAUSTED` with a pushback.
    pub fn grpc(self) -> RateLimitLayer<Grpc, K, C, H> {
        self.protocol(Grpc::default())
    }
}

#[cfg(feature = "http")]
impl<Q, K, C> RateLimitLayer<HttpServer<Q>, K, C> {
    /// Tells clients of the limit, in headers of every response; see [`TellHeaders`].
    pub fn headers(self) -> RateLimitLayer<HttpServer<Q>, K, C, TellHeaders> {
        let Self { limits, protocol, cost, .. } = self;
        RateLimitLayer { limits, protocol, cost, tell: TellHeaders }
    }
}

impl<S, P: Clone, K: Clone, C: Clone, H: Clone> Layer<S> for RateLimitLayer<P, K, C, H> {
    type Service = RateLimitService<S, P, K, C, H>;

    fn layer(&self, inner: S) -> Self::Service {
        let Self { limits, protocol, cost, tell } = self.clone();
        RateLimitService::new(inner, limits, protocol, cost, tell)
    }
}

crate::registry::member!([P, K: crate::registry::Member, C, H] RateLimitLayer<P, K, C, H>, limits);
