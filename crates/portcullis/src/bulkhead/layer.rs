//! The bulkhead in a tower stack.

#[cfg(feature = "http")]
use ::http::HeaderName;
use portcullis_core::Priority;
use tower_layer::Layer;

#[cfg(feature = "http")]
use super::demand::FromHead;
use super::{
    Bulkhead, BulkheadService,
    demand::{Plain, Prioritized, Weighed},
};
use crate::Boxed;

/// Puts a [`Bulkhead`] in front of a service.
///
/// The protocol is [`Boxed`] unless another is chosen, and every request weighs 1 and is of
/// [normal](Priority::Normal) priority. All services made by it, and by its clones, share the one bulkhead.
#[derive(Clone, Debug)]
pub struct BulkheadLayer<P = Boxed, D = Plain> {
    bulkhead: Bulkhead,
    protocol: P,
    demands: D,
}

impl BulkheadLayer {
    /// A layer of this bulkhead.
    pub fn new(bulkhead: Bulkhead) -> Self {
        Self { bulkhead, protocol: Boxed::default(), demands: Plain }
    }
}

impl<P, D> BulkheadLayer<P, D> {
    /// The same layer with this [protocol](crate::protocol).
    pub fn protocol<Q>(self, protocol: Q) -> BulkheadLayer<Q, D> {
        BulkheadLayer { bulkhead: self.bulkhead, protocol, demands: self.demands }
    }

    /// For services with an error type of their own; see [`Typed`](crate::Typed).
    pub fn typed(self) -> BulkheadLayer<crate::Typed, D> {
        self.protocol(crate::Typed::default())
    }

    /// A request takes as many permits as `weight` says, at least one and at most all.
    ///
    /// ```
    /// use portcullis::{Bulkhead, BulkheadLayer};
    ///
    /// // What a batch costs is what is in it.
    /// let layer = BulkheadLayer::new(Bulkhead::new("batches")).weigh(|batch: &Vec<u64>| batch.len() as u32);
    /// # let _ = layer;
    /// ```
    pub fn weigh<Req, F: Fn(&Req) -> u32>(self, weight: F) -> BulkheadLayer<P, Weighed<D, F>> {
        self.demanding(|others| Weighed { others, weight })
    }

    /// A request matters as much as `priority` says.
    pub fn prioritize<Req, F>(self, priority: F) -> BulkheadLayer<P, Prioritized<D, F>>
    where
        F: Fn(&Req) -> Priority,
    {
        self.demanding(|others| Prioritized { others, priority })
    }

    fn demanding<E>(self, by: impl FnOnce(D) -> E) -> BulkheadLayer<P, E> {
        BulkheadLayer { bulkhead: self.bulkhead, protocol: self.protocol, demands: by(self.demands) }
    }
}

#[cfg(feature = "http")]
impl<P, D> BulkheadLayer<P, D> {
    /// A request matters as much as its extension of type [`Priority`] says.
    ///
    /// ```
    /// use portcullis::{Bulkhead, BulkheadLayer, Priority};
    ///
    /// let bulkhead = Bulkhead::builder("checkout").max_in_flight(50).reserve(Priority::High, 5).build()?;
    /// let layer = BulkheadLayer::new(bulkhead).priority_extension().http_server();
    /// # let _ = layer;
    ///
    /// let mut request = http::Request::new(());
    /// request.extensions_mut().insert(Priority::High);
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    pub fn priority_extension(self) -> BulkheadLayer<P, FromHead<D>> {
        self.demanding(|others| FromHead { others, header: None })
    }

    /// A request matters as much as this header says, by a class's word or its number from 0 to 4, if there is
    /// no extension. Whoever can send it can push ahead: take it off what comes from outside.
    pub fn priority_header(self, header: HeaderName) -> BulkheadLayer<P, FromHead<D>> {
        self.demanding(|others| FromHead { others, header: Some(header) })
    }

    /// For HTTP servers; see [`HttpServer`](crate::HttpServer).
    pub fn http_server(self) -> BulkheadLayer<crate::HttpServer, D> {
        self.protocol(crate::HttpServer::default())
    }

    /// For HTTP clients; see [`HttpClient`](crate::HttpClient).
    pub fn http_client(self) -> BulkheadLayer<crate::HttpClient, D> {
        self.protocol(crate::HttpClient::default())
    }

    /// For gRPC; see [`Grpc`](crate::Grpc).
    pub fn grpc(self) -> BulkheadLayer<crate::Grpc, D> {
        self.protocol(crate::Grpc::default())
    }
}

impl<S, P: Clone, D: Clone> Layer<S> for BulkheadLayer<P, D> {
    type Service = BulkheadService<S, P, D>;

    fn layer(&self, inner: S) -> Self::Service {
        BulkheadService::new(inner, self.bulkhead.clone(), self.protocol.clone(), self.demands.clone())
    }
}

crate::registry::member!([P, D] BulkheadLayer<P, D>, bulkhead);
