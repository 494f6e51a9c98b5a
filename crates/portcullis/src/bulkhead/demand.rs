//! What a request asks of a bulkhead.

#[cfg(feature = "http")]
use ::http::{HeaderName, Request};
use portcullis_core::{Priority, bulkhead::Demand};

/// How a [`BulkheadLayer`](super::BulkheadLayer) reads from a request what it weighs and how much it matters.
///
/// A function of the request is one: `|request: &Req| Demand { .. }`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not tell what a request `{Req}` asks of a bulkhead",
    note = "`.priority_header(..)` and `.priority_extension()` need an `http::Request`; `.weigh(..)` and \
            `.prioritize(..)` take a function of the service's own request"
)]
pub trait Demands<Req> {
    /// What this request asks for.
    fn demand(&self, request: &Req) -> Demand;
}

impl<Req, F: Fn(&Req) -> Demand> Demands<Req> for F {
    fn demand(&self, request: &Req) -> Demand {
        self(request)
    }
}

/// Every request takes one permit, and none matters more.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl<Req> Demands<Req> for Plain {
    #[inline(always)]
    fn demand(&self, _: &Req) -> Demand {
        Demand::ONE
    }
}

/// A request weighs what a function says.
#[derive(Clone, Copy, Debug)]
pub struct Weighed<D, F> {
    pub(super) others: D,
    pub(super) weight: F,
}

impl<Req, D: Demands<Req>, F: Fn(&Req) -> u32> Demands<Req> for Weighed<D, F> {
    fn demand(&self, request: &Req) -> Demand {
        Demand { weight: (self.weight)(request), ..self.others.demand(request) }
    }
}

/// A request matters as much as a function says.
#[derive(Clone, Copy, Debug)]
pub struct Prioritized<D, F> {
    pub(super) others: D,
    pub(super) priority: F,
}

impl<Req, D: Demands<Req>, F: Fn(&Req) -> Priority> Demands<Req> for Prioritized<D, F> {
    fn demand(&self, request: &Req) -> Demand {
        Demand { priority: (self.priority)(request), ..self.others.demand(request) }
    }
}

/// A request matters as much as its extension of type [`Priority`] says; if it has none, as its header says,
/// and if that says nothing that is a priority, as before.
#[cfg(feature = "http")]
#[derive(Clone, Debug)]
pub struct FromHead<D> {
    pub(super) others: D,
    pub(super) header: Option<HeaderName>,
}

#[cfg(feature = "http")]
impl<B, D: Demands<Request<B>>> Demands<Request<B>> for FromHead<D> {
    fn demand(&self, request: &Request<B>) -> Demand {
        let others = self.others.demand(request);
        let told = crate::priority::told(request, self.header.as_ref());
        Demand { priority: told.unwrap_or(others.priority), ..others }
    }
}

#[cfg(test)]
#[cfg(feature = "http")]
mod tests {
    use super::*;

    fn told(header: &str, extension: Option<Priority>) -> Demand {
        let mut request = Request::builder().header("x-priority", header).body(()).unwrap();
        if let Some(priority) = extension {
            request.extensions_mut().insert(priority);
        }
        let weighed = Weighed { others: Plain, weight: |_: &Request<()>| 3 };
        let header = HeaderName::from_static("x-priority");
        FromHead { others: weighed, header: Some(header) }.demand(&request)
    }

    #[test]
    fn the_extension_goes_before_the_header() {
        assert_eq!(told("low", None), Demand { weight: 3, priority: Priority::Low });
        assert_eq!(told(" 4 ", None).priority, Priority::Highest);
        assert_eq!(told("urgent", None), Demand::of(3));
        assert_eq!(told("low", Some(Priority::High)).priority, Priority::High);
    }
}
