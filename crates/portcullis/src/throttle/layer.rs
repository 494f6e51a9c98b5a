//! The throttle in a tower stack.

use tower_layer::Layer;

use super::{Throttle, ThrottleService};
use crate::{Boxed, protocol::layer::protocol_shorthands};

/// Puts a [`Throttle`] in front of a service.
///
/// The protocol is [`Boxed`] unless another is chosen. All services made by it, and by its clones, share the one
/// throttle.
#[derive(Clone, Debug)]
pub struct ThrottleLayer<K = Throttle, P = Boxed> {
    throttles: K,
    protocol: P,
}

impl ThrottleLayer {
    /// A layer of this throttle.
    ///
    /// Over HTTP and gRPC it wants `.http_client()` or `.grpc()` besides. It often compiles without them, but then
    /// every response is one that was accepted, whatever its status.
    pub fn new(throttle: Throttle) -> Self {
        Self::by(throttle)
    }
}

impl<K> ThrottleLayer<K> {
    /// A layer of the throttles that are picked for each request; see [`KeyedThrottle::by`](super::KeyedThrottle::by).
    pub fn by(throttles: K) -> Self {
        Self { throttles, protocol: Boxed::default() }
    }
}

protocol_shorthands!(ThrottleLayer<K>, throttles);

impl<S, K: Clone, P: Clone> Layer<S> for ThrottleLayer<K, P> {
    type Service = ThrottleService<S, K, P>;

    fn layer(&self, inner: S) -> Self::Service {
        ThrottleService::new(inner, self.throttles.clone(), self.protocol.clone())
    }
}

crate::registry::member!([K: crate::registry::Member, P] ThrottleLayer<K, P>, throttles);
