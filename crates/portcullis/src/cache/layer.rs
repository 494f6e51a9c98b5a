//! The cache in a tower stack.

use std::fmt;

use tower_layer::Layer;

#[cfg(feature = "http")]
use super::http::{ByUri, HttpRules};
use super::{Cache, CacheService, Key, Plain, Value};
use crate::{Boxed, Typed, share::DEFAULT_MAX_BODY};
#[cfg(feature = "http")]
use crate::{Grpc, HttpClient, HttpServer, share::SharedResponse};

/// Answers with what a [`Cache`] keeps, and keeps what a service answers.
///
/// The protocol is [`Boxed`] unless another is chosen. What is kept are responses that can be cloned; with a protocol
/// for HTTP, [`SharedResponse`](crate::share::SharedResponse)s.
pub struct CacheLayer<K, V, F = (), R = Plain, P = Boxed> {
    cache: Cache<K, V>,
    by: F,
    rules: R,
    protocol: P,
    max_body: usize,
}

impl<K, V> CacheLayer<K, V> {
    /// A layer of this cache, which wants to know what requests are keyed by; see [`by`](Self::by).
    pub fn new(cache: Cache<K, V>) -> Self {
        Self { cache, by: (), rules: Plain, protocol: Boxed::default(), max_body: DEFAULT_MAX_BODY }
    }
}

#[cfg(feature = "http")]
impl CacheLayer<Box<str>, SharedResponse> {
    /// A layer for HTTP clients, that keeps answers to `GET` and `HEAD` by [method and URI](ByUri), as [`HttpRules`]
    /// say. For a server, add [`http_server`](CacheLayer::http_server).
    ///
    /// Bodies are of very different length: bound the memory that they take by a
    /// [largest weight](crate::cache::CacheBuilder::max_weight) in [bytes](crate::cache::bytes).
    pub fn http(
        cache: Cache<Box<str>, SharedResponse>,
    ) -> CacheLayer<Box<str>, SharedResponse, ByUri, HttpRules, HttpClient> {
        Self::new(cache).by(ByUri::default()).http_client()
    }
}

impl<K, V, F, R, P> CacheLayer<K, V, F, R, P> {
    /// What requests are keyed by: a function from a request to an `Option` of a key, or one of
    /// [`keyed::by`](crate::keyed::by), which cost no allocation where there is an answer. A request without a key is
    /// passed on, as if there were no cache.
    ///
    /// Whatever makes answers differ belongs into the key: who asks, too, where not all get the same.
    pub fn by<G>(self, by: G) -> CacheLayer<K, V, G, R, P> {
        let Self { cache, rules, protocol, max_body, .. } = self;
        CacheLayer { cache, by, rules, protocol, max_body }
    }

    /// What may be kept; see [`Rules`](super::Rules).
    pub fn rules<N>(self, rules: N) -> CacheLayer<K, V, F, N, P> {
        let Self { cache, by, protocol, max_body, .. } = self;
        CacheLayer { cache, by, rules, protocol, max_body }
    }

    /// The same layer with this [protocol](crate::protocol). Its [rules](Self::rules) stay as they are: those for HTTP
    /// come with [`http_client`](Self::http_client) and its like.
    pub fn protocol<Q>(self, protocol: Q) -> CacheLayer<K, V, F, R, Q> {
        let Self { cache, by, rules, max_body, .. } = self;
        CacheLayer { cache, by, rules, protocol, max_body }
    }

    /// For services with an error type of their own; see [`Typed`].
    pub fn typed(self) -> CacheLayer<K, V, F, R, Typed> {
        self.protocol(Typed::default())
    }

    /// Keeps no response whose body is longer than this many bytes (default 1 MiB). It is passed on.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }
}

#[cfg(feature = "http")]
impl<K, V, F, R, P> CacheLayer<K, V, F, R, P> {
    /// For HTTP clients, with the [rules](HttpRules) of HTTP; see [`HttpClient`].
    pub fn http_client(self) -> CacheLayer<K, V, F, HttpRules, HttpClient> {
        self.rules(HttpRules::default()).protocol(HttpClient::default())
    }

    /// For HTTP servers, with the [rules](HttpRules) of HTTP; see [`HttpServer`].
    pub fn http_server(self) -> CacheLayer<K, V, F, HttpRules, HttpServer> {
        self.rules(HttpRules::default()).protocol(HttpServer::default())
    }

    /// For gRPC: unary calls, by a key of one's own, which has all of the message in it that answers depend on; see
    /// [`Grpc`].
    pub fn grpc(self) -> CacheLayer<K, V, F, HttpRules, Grpc> {
        self.rules(HttpRules::default()).protocol(Grpc::default())
    }
}

#[cfg(feature = "http")]
impl<K, V, F, P> CacheLayer<K, V, F, HttpRules, P> {
    /// Keeps and serves responses as their headers say, and those of requests; see [`HttpRules`].
    #[must_use]
    pub fn honour_headers(mut self) -> Self {
        self.rules = self.rules.honour_headers();
        self
    }
}

#[cfg(feature = "http")]
impl<K, V, P> CacheLayer<K, V, ByUri, HttpRules, P> {
    /// Keys requests by these of their headers, too, so that responses that `Vary` by them can be kept side by side.
    #[must_use]
    pub fn vary(mut self, headers: impl IntoIterator<Item = ::http::HeaderName>) -> Self {
        self.by = ByUri::vary(headers);
        self.rules = self.rules.keyed_by(&self.by);
        self
    }
}

impl<S, K, V, F: Clone, R: Clone, P: Clone> Layer<S> for CacheLayer<K, V, F, R, P> {
    type Service = CacheService<S, K, V, F, R, P>;

    fn layer(&self, inner: S) -> Self::Service {
        let Self { cache, by, rules, protocol, max_body } = self.clone();
        CacheService::new(inner, cache, (by, rules, protocol), max_body)
    }
}

impl<K, V, F: Clone, R: Clone, P: Clone> Clone for CacheLayer<K, V, F, R, P> {
    fn clone(&self) -> Self {
        let Self { cache, by, rules, protocol, max_body } = self;
        let (by, rules, protocol) = (by.clone(), rules.clone(), protocol.clone());
        Self { cache: cache.clone(), by, rules, protocol, max_body: *max_body }
    }
}

impl<K: Key, V: Value, F, R, P> fmt::Debug for CacheLayer<K, V, F, R, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheLayer").field("cache", &self.cache).finish_non_exhaustive()
    }
}

crate::registry::member!([K: Key, V: Value, F, R, P] CacheLayer<K, V, F, R, P>, cache);
