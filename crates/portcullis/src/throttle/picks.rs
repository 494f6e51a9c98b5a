//! Which throttle a request is counted by.

use std::borrow::Cow;

use super::Throttle;

/// Picks the throttle of a request: one for all, one for each key, or none.
///
/// ```
/// use portcullis::{Throttle, ThrottleLayer, throttle::Throttles};
/// use std::borrow::Cow;
///
/// #[derive(Clone)]
/// struct OnlySearches(Throttle);
///
/// impl Throttles<String> for OnlySearches {
///     fn throttle(&self, request: &String) -> Option<Cow<'_, Throttle>> {
///         request.starts_with("search").then_some(Cow::Borrowed(&self.0))
///     }
/// }
///
/// let layer = ThrottleLayer::by(OnlySearches(Throttle::new("searches")));
/// # let _ = layer;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say by which throttle requests `{Req}` are counted",
    note = "a `Throttle` counts all requests; a `KeyedThrottle` does with `.by(key)`"
)]
pub trait Throttles<Req> {
    /// The throttle of this request; without one it is let through.
    fn throttle(&self, request: &Req) -> Option<Cow<'_, Throttle>>;

    /// The throttle of every request, where that is known before one comes: then a call that is held back does not
    /// wait until the inner service is ready.
    fn of_all(&self) -> Option<&Throttle> {
        None
    }
}

impl<Req> Throttles<Req> for Throttle {
    #[inline(always)]
    fn throttle(&self, _: &Req) -> Option<Cow<'_, Throttle>> {
        Some(Cow::Borrowed(self))
    }

    #[inline(always)]
    fn of_all(&self) -> Option<&Throttle> {
        Some(self)
    }
}
