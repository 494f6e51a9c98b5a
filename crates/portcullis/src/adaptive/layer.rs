//! The adaptive limit in a tower stack.

use tower_layer::Layer;

use super::{AdaptiveLimit, AdaptiveLimitService};
use crate::{Boxed, protocol::layer::protocol_shorthands};

/// Puts an [`AdaptiveLimit`] in front of a service.
///
/// The protocol is [`Boxed`] unless another is chosen. All services made by it, and by its clones, share
/// the one limit.
#[derive(Clone, Debug)]
pub struct AdaptiveLimitLayer<K = AdaptiveLimit, P = Boxed> {
    limits: K,
    protocol: P,
}

impl AdaptiveLimitLayer {
    /// A layer of this limit.
    ///
    /// Over HTTP and gRPC it wants `.http_client()`, `.http_server()` or `.grpc()` besides. It often compiles
    /// without them, but then every response is a success, and a dependency that refuses is taken for a fast one.
    pub fn new(limit: AdaptiveLimit) -> Self {
        Self::by(limit)
    }
}

impl<K> AdaptiveLimitLayer<K> {
    /// A layer of the limits that are picked for each request; see
    /// [`KeyedAdaptiveLimit::by`](super::KeyedAdaptiveLimit::by).
    pub fn by(limits: K) -> Self {
        Self { limits, protocol: Boxed::default() }
    }
}

protocol_shorthands!(AdaptiveLimitLayer<K>, limits);

impl<S, K: Clone, P: Clone> Layer<S> for AdaptiveLimitLayer<K, P> {
    type Service = AdaptiveLimitService<S, K, P>;

    fn layer(&self, inner: S) -> Self::Service {
        AdaptiveLimitService::new(inner, self.limits.clone(), self.protocol.clone())
    }
}

crate::registry::member!([K: crate::registry::Member, P] AdaptiveLimitLayer<K, P>, limits);
