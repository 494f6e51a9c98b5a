//! Deadlines in a tower stack.

use std::time::Duration;

#[cfg(feature = "http")]
use ::http::HeaderName;
use tower_layer::Layer;

#[cfg(feature = "http")]
use super::Headers;
use super::{DeadlineService, Nothing};
use crate::{Boxed, Timeout, Typed};
#[cfg(feature = "http")]
use crate::{Grpc, HttpClient, HttpServer};

/// An answer has a way back, and its reader something to do with it.
pub const DEFAULT_MARGIN: Duration = Duration::from_millis(5);

/// Ends calls at the deadline that they bring, and tells it on.
///
/// Put it outermost on a server, and outermost on each client that the server calls, but for a
/// [fallback](crate::fallback) that is to answer when the time is over. The protocol is [`Boxed`] unless
/// another is chosen, and then a deadline comes from the call within which this one is made.
#[derive(Clone, Debug)]
pub struct DeadlineLayer<C = Nothing, P = Boxed> {
    timeout: Timeout,
    margin: Duration,
    carry: C,
    protocol: P,
}

impl DeadlineLayer {
    /// A layer that gives a call as long as this timeout at most. With
    /// [`whole_response`](crate::timeout::TimeoutBuilder::whole_response), response bodies end at the deadline too.
    pub fn new(timeout: Timeout) -> Self {
        Self { timeout, margin: DEFAULT_MARGIN, carry: Nothing, protocol: Boxed::default() }
    }
}

impl<C, P> DeadlineLayer<C, P> {
    /// The same layer with this [protocol](crate::protocol).
    pub fn protocol<Q>(self, protocol: Q) -> DeadlineLayer<C, Q> {
        let Self { timeout, margin, carry, .. } = self;
        DeadlineLayer { timeout, margin, carry, protocol }
    }

    /// How much less time the next hop is told that it has (default 5 ms). A call with no more than that left is
    /// refused, also on a server, as one that was not sent.
    #[must_use]
    pub fn margin(mut self, margin: Duration) -> Self {
        self.margin = margin;
        self
    }

    /// For services with an error type of their own; see [`Typed`].
    pub fn typed(self) -> DeadlineLayer<C, Typed> {
        self.protocol(Typed::default())
    }

    /// The same layer with a [`Carry`](super::Carry) of one's own.
    pub fn carry<D>(self, carry: D) -> DeadlineLayer<D, P> {
        let Self { timeout, margin, protocol, .. } = self;
        DeadlineLayer { timeout, margin, carry, protocol }
    }
}

#[cfg(feature = "http")]
impl<C, P> DeadlineLayer<C, P> {
    /// For HTTP servers; see [`HttpServer`]. A call that comes too late, or is not done in time, is answered with
    /// 504; a gRPC call with `DEADLINE_EXCEEDED`.
    ///
    /// ```
    /// use portcullis::{DeadlineLayer, Timeout};
    /// use std::time::Duration;
    ///
    /// let timeout = Timeout::total("shop", Duration::from_secs(10))?;
    /// let layer = DeadlineLayer::new(timeout).http_server();
    /// # let _ = layer;
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    pub fn http_server(self) -> DeadlineLayer<Headers, HttpServer> {
        self.carry(Headers::inbound()).protocol(HttpServer::default())
    }

    /// For HTTP clients; see [`HttpClient`]. Tells what is left in `x-envoy-expected-rq-timeout-ms`, or
    /// [another header](DeadlineLayer::header).
    pub fn http_client(self) -> DeadlineLayer<Headers, HttpClient> {
        self.carry(Headers::outbound()).protocol(HttpClient::default())
    }

    /// For gRPC clients; see [`Grpc`]. Tells what is left in `grpc-timeout`. A gRPC server wants
    /// [`http_server`](Self::http_server), which reads that.
    pub fn grpc(self) -> DeadlineLayer<Headers, Grpc> {
        self.carry(Headers::outbound()).protocol(Grpc::default())
    }
}

#[cfg(feature = "http")]
impl<P> DeadlineLayer<Headers, P> {
    /// Reads what is left from this header, in milliseconds, on a server, and writes it into this one on a client
    /// (default: `x-envoy-expected-rq-timeout-ms`).
    pub fn header(self, name: HeaderName) -> Self {
        let Self { timeout, margin, carry, protocol } = self;
        Self { timeout, margin, carry: carry.named(name), protocol }
    }
}

impl<S, C: Clone, P: Clone> Layer<S> for DeadlineLayer<C, P> {
    type Service = DeadlineService<S, C, P>;

    fn layer(&self, inner: S) -> Self::Service {
        let Self { timeout, margin, carry, protocol } = self.clone();
        DeadlineService::new(inner, timeout, margin, carry, protocol)
    }
}

crate::registry::member!([C, P] DeadlineLayer<C, P>, timeout);
