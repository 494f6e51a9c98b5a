//! Which policy a request is retried by.

use std::borrow::Cow;

use super::RetryPolicy;

/// Picks the policy of a request: one for all, one for each method or host, or none.
///
/// ```
/// use portcullis::{RetryLayer, RetryPolicy, retry::{CloneReplay, Policies}};
/// use std::borrow::Cow;
///
/// #[derive(Clone)]
/// struct ByTenant { gold: RetryPolicy, others: RetryPolicy }
///
/// impl Policies<String> for ByTenant {
///     fn policy(&self, request: &String) -> Option<Cow<'_, RetryPolicy>> {
///         let gold = request.starts_with("gold/");
///         Some(Cow::Borrowed(if gold { &self.gold } else { &self.others }))
///     }
/// }
///
/// let policies = ByTenant {
///     gold: RetryPolicy::builder("gold").max_attempts(5).build()?,
///     others: RetryPolicy::new("others"),
/// };
/// let layer = RetryLayer::by(policies);
/// # let _ = layer;
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say by which policy requests `{Req}` are retried",
    note = "a `RetryPolicy` retries all requests alike"
)]
pub trait Policies<Req> {
    /// The policy of this request; without one it is sent once.
    fn policy(&self, request: &Req) -> Option<Cow<'_, RetryPolicy>>;
}

impl<Req> Policies<Req> for RetryPolicy {
    #[inline(always)]
    fn policy(&self, _: &Req) -> Option<Cow<'_, RetryPolicy>> {
        Some(Cow::Borrowed(self))
    }
}

/// The policies of `K`, for requests of which a closure says so; the others are sent once. Made by
/// [`RetryLayer::only_if`](crate::RetryLayer::only_if).
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
    fn policy(&self, request: &Req) -> Option<Cow<'_, RetryPolicy>> {
        (self.applies)(request).then(|| self.policies.policy(request)).flatten()
    }
}

crate::registry::member!([K: crate::registry::Member, F] OnlyIf<K, F>, policies);
