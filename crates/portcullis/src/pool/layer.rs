//! A pool of threads in a tower stack.

use tower_layer::Layer;

use super::{ThreadPool, ThreadPoolService};
use crate::{Boxed, protocol::layer::protocol_shorthands};

/// Runs a service on the threads of a [`ThreadPool`].
///
/// The service moves to the thread with its request, and is called there: what blocks or computes in `call`
/// blocks that thread alone, and so does what does in the future. Service, request, response and error are
/// `Send + 'static`; the future need not be.
///
/// The protocol is [`Boxed`] unless another is chosen. All services made by it, and by its clones, share the one
/// pool.
#[derive(Clone, Debug)]
pub struct ThreadPoolLayer<P = Boxed> {
    pool: ThreadPool,
    protocol: P,
}

impl ThreadPoolLayer {
    /// A layer of this pool.
    pub fn new(pool: ThreadPool) -> Self {
        Self { pool, protocol: Boxed::default() }
    }
}

protocol_shorthands!(ThreadPoolLayer, pool);

impl<S, P: Clone> Layer<S> for ThreadPoolLayer<P> {
    type Service = ThreadPoolService<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        ThreadPoolService::new(inner, self.pool.clone(), self.protocol.clone())
    }
}

crate::registry::member!([P] ThreadPoolLayer<P>, pool);
