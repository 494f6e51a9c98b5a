//! Which hedge a request is sent by.

use std::borrow::Cow;

use super::Hedge;

/// Picks the hedge of a request: one for all, one for each method or host, or none. It is asked for requests
/// that may be processed twice; the others are sent once.
///
/// ```
/// use portcullis::{Hedge, HedgeLayer, hedge::Policies};
/// use std::borrow::Cow;
///
/// #[derive(Clone)]
/// struct ByTenant { gold: Hedge, others: Hedge }
///
/// impl Policies<String> for ByTenant {
///     fn policy(&self, request: &String) -> Option<Cow<'_, Hedge>> {
///         let gold = request.starts_with("gold/");
///         Some(Cow::Borrowed(if gold { &self.gold } else { &self.others }))
///     }
/// }
///
/// let policies = ByTenant {
///     gold: Hedge::builder("gold").percentile(0.9).build()?,
///     others: Hedge::new("others"),
/// };
/// let layer = HedgeLayer::by(policies).idempotent();
/// # let _ = layer;
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say by which hedge requests `{Req}` are sent",
    note = "a `Hedge` hedges all requests alike"
)]
pub trait Policies<Req> {
    /// The hedge of this request; without one it is sent once.
    fn policy(&self, request: &Req) -> Option<Cow<'_, Hedge>>;
}

impl<Req> Policies<Req> for Hedge {
    #[inline(always)]
    fn policy(&self, _: &Req) -> Option<Cow<'_, Hedge>> {
        Some(Cow::Borrowed(self))
    }
}

/// The hedges of `K`, for requests of which a closure says so; the others are sent once. Made by
/// [`HedgeLayer::only_if`](crate::HedgeLayer::only_if).
#[derive(Clone, Copy, Debug)]
pub struct OnlyIf<K, F> {
    pub(super) policies: K,
    pub(super) applies: F,
}

impl<K, F, Req> Policies<Req> for OnlyIf<K, F>
where
    K: Policies<Req>,
    F: Fn(&Req) -> bool,
{
    fn policy(&self, request: &Req) -> Option<Cow<'_, Hedge>> {
        (self.applies)(request).then(|| self.policies.policy(request)).flatten()
    }
}

crate::registry::member!([K: crate::registry::Member, F] OnlyIf<K, F>, policies);
