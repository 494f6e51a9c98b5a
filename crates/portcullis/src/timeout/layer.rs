//! The timeout in a tower stack.

use std::time::Duration;

use tower_layer::Layer;

#[cfg(feature = "http")]
use super::InExtension;
use super::{OfPolicy, Timeout, TimeoutService};
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

impl<P> TimeoutLayer<P> {
    /// Lets requests have limits of their own, by a function of the request; where that returns `None`, the policy's
    /// own limit holds. Limits outside of 1 ms to 24 h are taken for the nearest of these, and may be longer than
    /// the policy's. An [adaptive](super::Adaptive) limit does not take such requests into account: they are of
    /// another kind.
    ///
    /// The function is called within `call`, so a panic in it is the caller's.
    ///
    /// ```
    /// use portcullis::{Timeout, TimeoutLayer};
    /// use std::time::Duration;
    ///
    /// struct Query { report: bool }
    ///
    /// let timeout = Timeout::total("warehouse", Duration::from_secs(2))?;
    /// let layer = TimeoutLayer::new(timeout)
    ///     .by(|query: &Query| query.report.then(|| Duration::from_secs(60)));
    /// # let _ = layer;
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    ///
    /// For gRPC by the path, which is the method's name (limits of all methods in one document are
    /// `ServiceConfigLayer`'s):
    ///
    /// ```
    /// # use portcullis::{Timeout, TimeoutLayer};
    /// # use std::time::Duration;
    /// # fn of(timeout: Timeout) {
    /// let layer = TimeoutLayer::new(timeout).grpc().by(|request: &http::Request<()>| {
    ///     (request.uri().path() == "/shop.v1.Shop/Export").then(|| Duration::from_secs(60))
    /// });
    /// # let _ = layer;
    /// # }
    /// ```
    pub fn by<Req, F>(self, limits: F) -> ByRequest<F, P>
    where
        F: Fn(&Req) -> Option<Duration>,
    {
        self.limits(limits)
    }

    /// Lets HTTP requests have limits of their own, in their extension [`Limit`](super::Limit).
    ///
    /// ```
    /// use portcullis::{Timeout, TimeoutLayer};
    /// use std::time::Duration;
    ///
    /// let timeout = Timeout::total("shop", Duration::from_secs(2))?;
    /// let layer = TimeoutLayer::new(timeout).http_client().by_extension();
    /// # let _ = layer;
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    #[cfg(feature = "http")]
    pub fn by_extension(self) -> ByRequest<InExtension, P> {
        self.limits(InExtension)
    }

    /// Lets requests have limits of their own, by other [`Limits`](super::Limits).
    pub fn limits<L>(self, limits: L) -> ByRequest<L, P> {
        let Self { timeout, protocol } = self;
        ByRequest { timeout, limits, protocol }
    }
}

impl<S, P: Clone> Layer<S> for TimeoutLayer<P> {
    type Service = TimeoutService<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        TimeoutService::new(inner, self.timeout.clone(), self.protocol.clone(), OfPolicy)
    }
}

/// A [`TimeoutLayer`] under which requests have limits of their own.
#[derive(Clone, Debug)]
pub struct ByRequest<L, P = Boxed> {
    timeout: Timeout,
    limits: L,
    protocol: P,
}

protocol_shorthands!(ByRequest<L>, timeout, limits);

impl<S, L: Clone, P: Clone> Layer<S> for ByRequest<L, P> {
    type Service = TimeoutService<S, P, L>;

    fn layer(&self, inner: S) -> Self::Service {
        let Self { timeout, limits, protocol } = self.clone();
        TimeoutService::new(inner, timeout, protocol, limits)
    }
}

crate::registry::member!([P] TimeoutLayer<P>, timeout);

crate::registry::member!([L, P] ByRequest<L, P>, timeout);
