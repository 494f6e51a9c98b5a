//! A service config in a tower stack.

use tower_layer::Layer;

use super::{ServiceConfig, ServiceConfigService};
use crate::{Grpc, retry::HttpReplay};

/// Times, retries and hedges gRPC calls by a [`ServiceConfig`].
///
/// It has the protocol [`Grpc`] unless another one for gRPC is chosen, and buffers requests as a
/// [`RetryLayer`](crate::RetryLayer) does. The inner service must be `Clone`, because each further attempt
/// needs an instance of its own.
#[derive(Clone, Debug)]
pub struct ServiceConfigLayer<P = Grpc, R = HttpReplay> {
    config: ServiceConfig,
    protocol: P,
    replay: R,
}

impl ServiceConfigLayer {
    /// A layer of this service config.
    pub fn new(config: ServiceConfig) -> Self {
        Self { config, protocol: Grpc::default(), replay: HttpReplay::default() }
    }
}

impl<P, R> ServiceConfigLayer<P, R> {
    /// The same layer with this [protocol](crate::protocol).
    pub fn protocol<Q>(self, protocol: Q) -> ServiceConfigLayer<Q, R> {
        let Self { config, replay, .. } = self;
        ServiceConfigLayer { config, protocol, replay }
    }
}

impl<P, M> ServiceConfigLayer<P, HttpReplay<M>> {
    /// Turns the body that is sent into one that the inner service wants, as with
    /// `.rebody(tonic::body::Body::new)`.
    pub fn rebody<N>(self, rebody: N) -> ServiceConfigLayer<P, HttpReplay<N>> {
        let Self { config, protocol, replay } = self;
        ServiceConfigLayer { config, protocol, replay: replay.rebody(rebody) }
    }

    /// Keeps at most this many bytes of a request's body (default 64 KiB); longer ones are sent once.
    #[must_use]
    pub fn max_buffered(mut self, bytes: usize) -> Self {
        self.replay = self.replay.max_buffered(bytes);
        self
    }

    /// Lets a balancer below know which endpoints were tried, so that a further attempt goes to another; see
    /// [`Tried`](crate::protocol::Tried) (default: off).
    #[must_use]
    pub fn avoid_tried(mut self) -> Self {
        self.replay = self.replay.avoid_tried();
        self
    }
}

impl<S, P: Clone, R: Clone> Layer<S> for ServiceConfigLayer<P, R> {
    type Service = ServiceConfigService<S, P, R>;

    fn layer(&self, inner: S) -> Self::Service {
        ServiceConfigService::new(inner, self.config.clone(), self.protocol.clone(), self.replay.clone())
    }
}
