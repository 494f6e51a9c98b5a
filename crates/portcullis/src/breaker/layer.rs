//! The breaker in a tower stack.

use tower_layer::Layer;

use super::{Breaker, BreakerService};
use crate::{Boxed, protocol::layer::protocol_shorthands};

/// Puts a [`Breaker`] in front of a service.
///
/// The protocol is [`Boxed`] unless another is chosen. All services made by it, and by its clones, share
/// the one breaker.
#[derive(Clone, Debug)]
pub struct BreakerLayer<P = Boxed> {
    breaker: Breaker,
    protocol: P,
}

impl BreakerLayer {
    /// A layer of this breaker.
    ///
    /// Over HTTP and gRPC it wants `.http_client()`, `.http_server()` or `.grpc()` besides. It often compiles
    /// without them, but then every response is a success, whatever its status.
    pub fn new(breaker: Breaker) -> Self {
        Self { breaker, protocol: Boxed::default() }
    }
}

protocol_shorthands!(BreakerLayer, breaker);

impl<S, P: Clone> Layer<S> for BreakerLayer<P> {
    type Service = BreakerService<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        BreakerService::new(inner, self.breaker.clone(), self.protocol.clone())
    }
}

crate::registry::member!([P] BreakerLayer<P>, breaker);
