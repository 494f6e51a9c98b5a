//! Drains in a tower stack.

use tower_layer::Layer;

use super::{Drain, DrainService};
use crate::{Boxed, protocol::layer::protocol_shorthands};

/// Counts what is in flight in a service, and refuses when its [`Drain`] does.
///
/// The protocol is [`Boxed`] unless another is chosen: `.http_server()` for axum and hyper, `.grpc()` for tonic. All
/// services made by it, and by its clones, share the one drain; so may the layers of several servers of one process.
/// Put it outermost, but inside of [`HealthLayer`](crate::HealthLayer), which is asked until the end.
#[derive(Clone, Debug)]
pub struct DrainLayer<P = Boxed> {
    drain: Drain,
    protocol: P,
}

impl DrainLayer {
    /// A layer of this drain.
    pub fn new(drain: Drain) -> Self {
        Self { drain, protocol: Boxed::default() }
    }
}

protocol_shorthands!(DrainLayer, drain);

impl<S, P: Clone> Layer<S> for DrainLayer<P> {
    type Service = DrainService<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        DrainService::new(inner, self.drain.clone(), self.protocol.clone())
    }
}

crate::registry::member!([P] DrainLayer<P>, drain);
