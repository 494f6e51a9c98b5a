//! The timeout in a tower stack.

use tower_layer::Layer;

use super::{Timeout, TimeoutService};
use crate::{Boxed, protocol::layer::protocol_shorthands};

/// Puts a [`Timeout`] in front of a service. The protocol is [`Boxed`] unless another is chosen.
#[derive(Clone, Debug)]
pub struct TimeoutLayer<P = Boxed> {
    timeout: Timeout,
    protocol: P,
}

impl TimeoutLayer {
    /// A layer of this timeout.
    pub fn new(timeout: Timeout) -> Self {
        Self { timeout, protocol: Boxed::default() }
    }
}

protocol_shorthands!(TimeoutLayer, timeout);

impl<S, P: Clone> Layer<S> for TimeoutLayer<P> {
    type Service = TimeoutService<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        TimeoutService::new(inner, self.timeout.clone(), self.protocol.clone())
    }
}
