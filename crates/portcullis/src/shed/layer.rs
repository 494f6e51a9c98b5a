//! Load shedding in a tower stack.

#[cfg(feature = "http")]
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "http")]
use ::http::HeaderName;
use portcullis_core::Priority;
use tower_layer::Layer;

use super::{
    LoadShed, LoadShedService,
    arrival::{ByUser, Exempt, Plain, Prioritized, Waited},
};
#[cfg(feature = "http")]
use super::{
    arrival::{ExemptPaths, FromHead, Started},
    exempt::{GRPC_HEALTH, Paths},
};
use crate::Boxed;

/// Puts a [`LoadShed`] in front of a service.
///
/// The protocol is [`Boxed`] unless another is chosen, and every request is of [normal](Priority::Normal)
/// priority. All services made by it, and by its clones, share the one policy. Health probes are shed as
/// everything else is, until they are [exempt](Self::exempt).
#[derive(Clone, Debug)]
pub struct LoadShedLayer<P = Boxed, R = Plain> {
    shed: LoadShed,
    protocol: P,
    reads: R,
}

impl LoadShedLayer {
    /// A layer of this load shedding.
    pub fn new(shed: LoadShed) -> Self {
        Self { shed, protocol: Boxed::default(), reads: Plain }
    }
}

impl<P, R> LoadShedLayer<P, R> {
    /// The same layer with this [protocol](crate::protocol).
    pub fn protocol<Q>(self, protocol: Q) -> LoadShedLayer<Q, R> {
        LoadShedLayer { shed: self.shed, protocol, reads: self.reads }
    }

    /// For services with an error type of their own; see [`Typed`](crate::Typed).
    pub fn typed(self) -> LoadShedLayer<crate::Typed, R> {
        self.protocol(crate::Typed::default())
    }

    /// A request matters as much as `priority` says.
    pub fn prioritize<Req, F>(self, priority: F) -> LoadShedLayer<P, Prioritized<R, F>>
    where
        F: Fn(&Req) -> Priority,
    {
        self.reading(|others| Prioritized { others, priority })
    }

    /// A request is made for the user of this number, such as a hash of a name. Where a class is shed in part,
    /// a user's requests are then served or refused together, for an hour; then others are the ones. Without a
    /// number it goes by lot.
    ///
    /// ```
    /// use portcullis::{LoadShed, LoadShedLayer};
    /// use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
    ///
    /// struct Order { customer: String }
    ///
    /// let hasher = BuildHasherDefault::<DefaultHasher>::new();
    /// let layer = LoadShedLayer::new(LoadShed::new("orders"))
    ///     .user(move |order: &Order| Some(hasher.hash_one(&order.customer)));
    /// # let _ = layer;
    /// ```
    pub fn user<Req, F>(self, user: F) -> LoadShedLayer<P, ByUser<R, F>>
    where
        F: Fn(&Req) -> Option<u64>,
    {
        self.reading(|others| ByUser { others, user })
    }

    /// A request has waited for so long before it came, if that is known: it counts as a
    /// [queue delay](super::QueueDelay).
    pub fn waited<Req, F>(self, waited: F) -> LoadShedLayer<P, Waited<R, F>>
    where
        F: Fn(&Req) -> Option<Duration>,
    {
        self.reading(|others| Waited { others, waited })
    }

    /// Requests of which this is true are neither refused nor counted.
    pub fn exempt<Req, F: Fn(&Req) -> bool>(self, exempt: F) -> LoadShedLayer<P, Exempt<R, F>> {
        self.reading(|others| Exempt { others, exempt })
    }

    fn reading<Q>(self, by: impl FnOnce(R) -> Q) -> LoadShedLayer<P, Q> {
        LoadShedLayer { shed: self.shed, protocol: self.protocol, reads: by(self.reads) }
    }
}

#[cfg(feature = "http")]
impl<P, R> LoadShedLayer<P, R> {
    /// Requests to these paths are neither refused nor counted: what an orchestrator asks must be answered under
    /// load above all, or it kills what is only busy. A path is compared as a whole; one that ends in `/*` stands
    /// for all below. In a router inside another the path is what that one left of it.
    ///
    /// ```
    /// use portcullis::{LoadShed, LoadShedLayer};
    ///
    /// let layer = LoadShedLayer::new(LoadShed::new("api"))
    ///     .exempt_paths(["/livez", "/readyz", "/internal/*"])
    ///     .http_server();
    /// # let _ = layer;
    /// ```
    pub fn exempt_paths<I, T>(self, paths: I) -> LoadShedLayer<P, ExemptPaths<R>>
    where
        I: IntoIterator<Item = T>,
        T: Into<String>,
    {
        let paths = Arc::new(Paths::new(paths));
        self.reading(|others| ExemptPaths { others, paths })
    }

    /// Calls of gRPC's health service (`grpc.health.v1.Health`) are neither refused nor counted.
    pub fn exempt_grpc_health(self) -> LoadShedLayer<P, ExemptPaths<R>> {
        self.exempt_paths([GRPC_HEALTH])
    }

    /// A request matters as much as its extension of type [`Priority`] says.
    pub fn priority_extension(self) -> LoadShedLayer<P, FromHead<R>> {
        self.reading(|others| FromHead { others, header: None })
    }

    /// A request matters as much as this header says, by a class's word or its number from 0 to 4, if there is
    /// no extension. Whoever can send it can push ahead: take it off what comes from outside.
    pub fn priority_header(self, header: HeaderName) -> LoadShedLayer<P, FromHead<R>> {
        self.reading(|others| FromHead { others, header: Some(header) })
    }

    /// A request has waited since the time in this header, which a proxy in front of the server writes, mostly
    /// `X-Request-Start`: `t=` or nothing, and the time since 1970 in seconds with a fraction (nginx'
    /// `t=${msec}`), milliseconds (Heroku), microseconds or nanoseconds. It counts as a
    /// [queue delay](super::QueueDelay). What is no such time, or more than an hour ago, counts as nothing; one
    /// that is still to come, as no wait. The clocks of both machines should not be apart by more than a
    /// part of the target. Whoever can send it can pretend an overload: let the proxy write it always.
    ///
    /// ```
    /// use portcullis::{LoadShed, LoadShedLayer};
    ///
    /// let start = http::HeaderName::from_static("x-request-start");
    /// let layer = LoadShedLayer::new(LoadShed::new("api")).request_start_header(start).http_server();
    /// # let _ = layer;
    /// ```
    pub fn request_start_header(self, header: HeaderName) -> LoadShedLayer<P, Started<R>> {
        self.reading(|others| Started { others, header })
    }

    /// For HTTP servers; see [`HttpServer`](crate::HttpServer). A refusal is a 503 with `Retry-After`.
    pub fn http_server(self) -> LoadShedLayer<crate::HttpServer, R> {
        self.protocol(crate::HttpServer::default())
    }

    /// For HTTP clients; see [`HttpClient`](crate::HttpClient).
    pub fn http_client(self) -> LoadShedLayer<crate::HttpClient, R> {
        self.protocol(crate::HttpClient::default())
    }

    /// For gRPC; see [`Grpc`](crate::Grpc). A refusal is `UNAVAILABLE` with a pushback.
    pub fn grpc(self) -> LoadShedLayer<crate::Grpc, R> {
        self.protocol(crate::Grpc::default())
    }
}

impl<S, P: Clone, R: Clone> Layer<S> for LoadShedLayer<P, R> {
    type Service = LoadShedService<S, P, R>;

    fn layer(&self, inner: S) -> Self::Service {
        LoadShedService::new(inner, self.shed.clone(), self.protocol.clone(), self.reads.clone())
    }
}

crate::registry::member!([P, R] LoadShedLayer<P, R>, shed);
