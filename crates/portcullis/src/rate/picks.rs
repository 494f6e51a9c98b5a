//! Which rate limit a request is counted by, and how much it takes.

use std::borrow::Cow;

use super::RateLimit;

/// Picks the rate limit of a request: one for all, one for each key, or none.
///
/// ```
/// use portcullis::{RateLimit, RateLimitLayer, rate::Limits};
/// use std::borrow::Cow;
///
/// #[derive(Clone)]
/// struct OnlyWrites(RateLimit);
///
/// impl Limits<String> for OnlyWrites {
///     fn limit(&self, request: &String) -> Option<Cow<'_, RateLimit>> {
///         request.starts_with("write").then_some(Cow::Borrowed(&self.0))
///     }
/// }
///
/// let layer = RateLimitLayer::by(OnlyWrites(RateLimit::new("writes")));
/// # let _ = layer;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say by which rate limit requests `{Req}` are counted",
    note = "a `RateLimit` counts all requests"
)]
pub trait Limits<Req> {
    /// The rate limit of this request; without one it is let through.
    fn limit(&self, request: &Req) -> Option<Cow<'_, RateLimit>>;
}

impl<Req> Limits<Req> for RateLimit {
    #[inline(always)]
    fn limit(&self, _: &Req) -> Option<Cow<'_, RateLimit>> {
        Some(Cow::Borrowed(self))
    }
}

/// How many permits a request takes. Any function from a request to a number is one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how many permits a request `{Req}` takes",
    note = "a function from `&{Req}` to `u32` does"
)]
pub trait Cost<Req> {
    /// So many. Nothing (0) passes unless others wait; more than the burst is always refused.
    fn cost(&self, request: &Req) -> u32;
}

/// Every request takes one permit.
#[derive(Clone, Copy, Debug, Default)]
pub struct One;

impl<Req> Cost<Req> for One {
    #[inline(always)]
    fn cost(&self, _: &Req) -> u32 {
        1
    }
}

impl<F: Fn(&Req) -> u32, Req> Cost<Req> for F {
    #[inline(always)]
    fn cost(&self, request: &Req) -> u32 {
        self(request)
    }
}
