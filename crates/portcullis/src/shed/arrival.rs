//! What a request says of itself.

#[cfg(feature = "http")]
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "http")]
use ::http::{HeaderName, Request};
use portcullis_core::{Priority, shed::Arrival};

#[cfg(feature = "http")]
use super::{exempt::Paths, start};

/// How a [`LoadShedLayer`](super::LoadShedLayer) reads from a request how much it matters, and whether it may be
/// refused at all.
///
/// A function of the request is one: `|request: &Req| Arrival { .. }`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not tell how much a request `{Req}` matters",
    note = "`.priority_header(..)`, `.priority_extension()`, `.exempt_paths(..)` and `.request_start_header(..)` \
            need an `http::Request`; the others take a function of the service's own request"
)]
pub trait Reads<Req> {
    /// What this request says.
    fn arrival(&self, request: &Req) -> Arrival;
}

impl<Req, F: Fn(&Req) -> Arrival> Reads<Req> for F {
    fn arrival(&self, request: &Req) -> Arrival {
        self(request)
    }
}

/// Requests say nothing, and none matters more.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl<Req> Reads<Req> for Plain {
    #[inline(always)]
    fn arrival(&self, _: &Req) -> Arrival {
        Arrival::PLAIN
    }
}

/// A request matters as much as a function says.
#[derive(Clone, Copy, Debug)]
pub struct Prioritized<R, F> {
    pub(super) others: R,
    pub(super) priority: F,
}

impl<Req, R: Reads<Req>, F: Fn(&Req) -> Priority> Reads<Req> for Prioritized<R, F> {
    fn arrival(&self, request: &Req) -> Arrival {
        Arrival { priority: (self.priority)(request), ..self.others.arrival(request) }
    }
}

/// A request is made for whom a function says.
#[derive(Clone, Copy, Debug)]
pub struct ByUser<R, F> {
    pub(super) others: R,
    pub(super) user: F,
}

impl<Req, R: Reads<Req>, F: Fn(&Req) -> Option<u64>> Reads<Req> for ByUser<R, F> {
    fn arrival(&self, request: &Req) -> Arrival {
        Arrival { user: (self.user)(request), ..self.others.arrival(request) }
    }
}

/// A request has waited for as long as a function says.
#[derive(Clone, Copy, Debug)]
pub struct Waited<R, F> {
    pub(super) others: R,
    pub(super) waited: F,
}

impl<Req, R: Reads<Req>, F: Fn(&Req) -> Option<Duration>> Reads<Req> for Waited<R, F> {
    fn arrival(&self, request: &Req) -> Arrival {
        Arrival { waited: (self.waited)(request), ..self.others.arrival(request) }
    }
}

/// Requests of which a function says so are neither refused nor counted.
#[derive(Clone, Copy, Debug)]
pub struct Exempt<R, F> {
    pub(super) others: R,
    pub(super) exempt: F,
}

impl<Req, R: Reads<Req>, F: Fn(&Req) -> bool> Reads<Req> for Exempt<R, F> {
    fn arrival(&self, request: &Req) -> Arrival {
        if (self.exempt)(request) { EXEMPT } else { self.others.arrival(request) }
    }
}

/// Nothing else is read of those.
const EXEMPT: Arrival = Arrival { exempt: true, ..Arrival::PLAIN };

/// Requests to these paths are neither refused nor counted.
#[cfg(feature = "http")]
#[derive(Clone, Debug)]
pub struct ExemptPaths<R> {
    pub(super) others: R,
    pub(super) paths: Arc<Paths>,
}

#[cfg(feature = "http")]
impl<B, R: Reads<Request<B>>> Reads<Request<B>> for ExemptPaths<R> {
    fn arrival(&self, request: &Request<B>) -> Arrival {
        if self.paths.contain(request.uri().path()) { EXEMPT } else { self.others.arrival(request) }
    }
}

/// A request matters as much as its extension of type [`Priority`] says; if it has none, as its header says,
/// and if that says nothing that is a priority, as before.
#[cfg(feature = "http")]
#[derive(Clone, Debug)]
pub struct FromHead<R> {
    pub(super) others: R,
    pub(super) header: Option<HeaderName>,
}

#[cfg(feature = "http")]
impl<B, R: Reads<Request<B>>> Reads<Request<B>> for FromHead<R> {
    fn arrival(&self, request: &Request<B>) -> Arrival {
        let others = self.others.arrival(request);
        let told = crate::priority::told(request, self.header.as_ref());
        Arrival { priority: told.unwrap_or(others.priority), ..others }
    }
}

/// A request has waited since the time that a header says.
#[cfg(feature = "http")]
#[derive(Clone, Debug)]
pub struct Started<R> {
    pub(super) others: R,
    pub(super) header: HeaderName,
}

#[cfg(feature = "http")]
impl<B, R: Reads<Request<B>>> Reads<Request<B>> for Started<R> {
    fn arrival(&self, request: &Request<B>) -> Arrival {
        let stamp = request.headers().get(&self.header).and_then(|stamp| stamp.to_str().ok());
        let waited = stamp.and_then(start::waited);
        let others = self.others.arrival(request);
        Arrival { waited: waited.or(others.waited), ..others }
    }
}
