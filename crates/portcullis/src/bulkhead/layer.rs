//! The bulkhead in a tower stack.

use tower_layer::Layer;

use super::{Bulkhead, BulkheadService};
use crate::{Boxed, protocol::layer::protocol_shorthands};

/// Puts a [`Bulkhead`] in front of a service.
///
/// The protocol is [`Boxed`] unless another is chosen. All services made by it, and by its clones, share
/// the one bulkhead.
#[derive(Clone, Debug)]
pub struct BulkheadLayer<P = Boxed> {
    bulkhead: Bulkhead,
    protocol: P,
}

impl BulkheadLayer {
    /// A layer of this bulkhead.
    pub fn new(bulkhead: Bulkhead) -> Self {
        Self { bulkhead, protocol: Boxed::default() }
    }
}

protocol_shorthands!(BulkheadLayer, bulkhead);

impl<S, P: Clone> Layer<S> for BulkheadLayer<P> {
    type Service = BulkheadService<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        BulkheadService::new(inner, self.bulkhead.clone(), self.protocol.clone())
    }
}
