//! The executor in a tower stack.

use tower_layer::Layer;

use super::{Executor, ExecutorService};
use crate::{Boxed, protocol::layer::protocol_shorthands};

/// Runs calls of a service as tasks, by an [`Executor`].
///
/// The protocol is [`Boxed`] unless another is chosen. The service is called in the task; its readiness is asked where
/// the call comes from.
#[derive(Clone, Debug)]
pub struct ExecutorLayer<P = Boxed> {
    executor: Executor,
    protocol: P,
}

impl ExecutorLayer {
    /// A layer of this executor.
    pub fn new(executor: Executor) -> Self {
        Self { executor, protocol: Boxed::default() }
    }
}

protocol_shorthands!(ExecutorLayer, executor);

impl<S, P: Clone> Layer<S> for ExecutorLayer<P> {
    type Service = ExecutorService<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        ExecutorService { inner, executor: self.executor.clone(), protocol: self.protocol.clone() }
    }
}

crate::registry::member!([P] ExecutorLayer<P>, executor);
