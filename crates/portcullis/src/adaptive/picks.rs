//! Which limit a request falls under.

use std::borrow::Cow;

use super::AdaptiveLimit;

/// Picks the limit of a request: one for all, one for each key, or none.
///
/// ```
/// use portcullis::{AdaptiveLimit, AdaptiveLimitLayer, adaptive::AdaptiveLimits};
/// use std::borrow::Cow;
///
/// #[derive(Clone)]
/// struct OnlySearches(AdaptiveLimit);
///
/// impl AdaptiveLimits<String> for OnlySearches {
///     fn limit(&self, request: &String) -> Option<Cow<'_, AdaptiveLimit>> {
///         request.starts_with("search").then_some(Cow::Borrowed(&self.0))
///     }
/// }
///
/// let layer = AdaptiveLimitLayer::by(OnlySearches(AdaptiveLimit::new("searches")));
/// # let _ = layer;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which adaptive limit requests `{Req}` fall under",
    note = "an `AdaptiveLimit` is for all requests; a `KeyedAdaptiveLimit` is with `.by(key)`"
)]
pub trait AdaptiveLimits<Req> {
    /// The limit of this request; without one it is let through.
    fn limit(&self, request: &Req) -> Option<Cow<'_, AdaptiveLimit>>;

    /// The limit of every request, where that is known before one comes: then a refusal does not wait until the inner
    /// service is ready.
    fn of_all(&self) -> Option<&AdaptiveLimit> {
        None
    }
}

impl<Req> AdaptiveLimits<Req> for AdaptiveLimit {
    #[inline(always)]
    fn limit(&self, _: &Req) -> Option<Cow<'_, AdaptiveLimit>> {
        Some(Cow::Borrowed(self))
    }

    #[inline(always)]
    fn of_all(&self) -> Option<&AdaptiveLimit> {
        Some(self)
    }
}
