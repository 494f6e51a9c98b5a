//! The response that is answered in place of the dependency's.

/// Makes the response that a call meets as a fault. Any function from a request to a response is one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not make responses `{Res}` for requests `{Req}`",
    note = "`.responding(..)` takes a function from the service's request to its response"
)]
pub trait Respond<Req, Res> {
    /// The response; `None` where there is none.
    fn respond(&self, request: &Req) -> Option<Res>;
}

impl<Req, Res, F: Fn(&Req) -> Res> Respond<Req, Res> for F {
    fn respond(&self, request: &Req) -> Option<Res> {
        Some(self(request))
    }
}

/// None was given: a failure of the kind [`Internal`](crate::FailureKind::Internal) is met in its place.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoResponse;

impl<Req, Res> Respond<Req, Res> for NoResponse {
    fn respond(&self, _: &Req) -> Option<Res> {
        None
    }
}
