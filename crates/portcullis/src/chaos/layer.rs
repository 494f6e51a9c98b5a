//! Chaos in a tower stack.

use std::hash::Hash;

#[cfg(feature = "http")]
use ::http::HeaderName;
use tower_layer::Layer;

#[cfg(feature = "http")]
use super::ByHeader;
use super::{All, ByKey, Chaos, ChaosService, NoResponse, OnlyIf};
use crate::{Boxed, protocol::layer::protocol_shorthands};

/// Lets calls of a service meet faults, by [`Chaos`].
///
/// The protocol is [`Boxed`] unless another is chosen, and every request may meet them. All services made by it,
/// and by its clones, meet the same.
#[derive(Clone, Debug)]
pub struct ChaosLayer<C = All, R = NoResponse, P = Boxed> {
    chaos: Chaos,
    choose: C,
    respond: R,
    protocol: P,
}

impl ChaosLayer {
    /// A layer of these faults.
    pub fn new(chaos: Chaos) -> Self {
        Self { chaos, choose: All, respond: NoResponse, protocol: Boxed::default() }
    }
}

protocol_shorthands!(ChaosLayer<C, R>, chaos, choose, respond);

impl<C, R, P> ChaosLayer<C, R, P> {
    /// Only requests of which `applies` says so meet faults.
    ///
    /// ```
    /// use portcullis::{Chaos, ChaosLayer};
    ///
    /// let chaos = Chaos::builder("reports").hang(0.1).build()?;
    /// let layer = ChaosLayer::new(chaos).only_if(|report: &String| report.starts_with("test"));
    /// # let _ = layer;
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    pub fn only_if<Req, F: Fn(&Req) -> bool>(self, applies: F) -> ChaosLayer<OnlyIf<C, F>, R, P> {
        self.choosing(|others| OnlyIf { others, applies })
    }

    /// Draws faults for every key and not for every call: the same keys have the same trouble, in every process
    /// and until the faults change. A latency that is drawn is the same for the key, too. With another
    /// [seed](super::ChaosBuilder::seed) it is other keys that have it.
    pub fn by_key<Req, K: Hash, F: Fn(&Req) -> K>(self, key: F) -> ChaosLayer<ByKey<C, F>, R, P> {
        self.choosing(|others| ByKey { others, key })
    }

    /// Lets this header of a request say whether it meets faults, whatever the switch says: `on`, where the
    /// faults' shares and schedule still count, or `off`. With [`by_key`](Self::by_key),
    /// in either order, the header stands in for the switch alone: a request with `on` meets what its key meets.
    /// Whoever can send it can make calls fail: take it off what comes from outside.
    #[cfg(feature = "http")]
    pub fn header(self, name: HeaderName) -> ChaosLayer<ByHeader<C>, R, P> {
        self.choosing(|others| ByHeader { others, name })
    }

    /// Chooses the requests that may meet faults by a [`Choose`](super::Choose) of one's own.
    pub fn choose<D>(self, choose: D) -> ChaosLayer<D, R, P> {
        self.choosing(|_| choose)
    }

    /// The response that is met as a [fault](super::ChaosBuilder::response).
    ///
    /// ```
    /// use portcullis::{Chaos, ChaosLayer};
    ///
    /// let chaos = Chaos::builder("inventory").response(0.1).build()?;
    /// let layer = ChaosLayer::new(chaos)
    ///     .responding(|_: &http::Request<String>| {
    ///         let mut response = http::Response::new("out of order".to_owned());
    ///         *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
    ///         response
    ///     })
    ///     .http_client();
    /// # let _ = layer;
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    pub fn responding<Req, Res, F: Fn(&Req) -> Res>(self, respond: F) -> ChaosLayer<C, F, P> {
        let Self { chaos, choose, protocol, .. } = self;
        ChaosLayer { chaos, choose, respond, protocol }
    }

    fn choosing<D>(self, by: impl FnOnce(C) -> D) -> ChaosLayer<D, R, P> {
        let Self { chaos, choose, respond, protocol } = self;
        ChaosLayer { chaos, choose: by(choose), respond, protocol }
    }
}

impl<S, C: Clone, R: Clone, P: Clone> Layer<S> for ChaosLayer<C, R, P> {
    type Service = ChaosService<S, P, C, R>;

    fn layer(&self, inner: S) -> Self::Service {
        let Self { chaos, choose, respond, protocol } = self.clone();
        ChaosService { inner, chaos, protocol, choose, respond }
    }
}

crate::registry::member!([C, R, P] ChaosLayer<C, R, P>, chaos);
