//! What a request is keyed by.

use std::{fmt::Display, hash::Hash};

/// What a keyed policy can keep as a key: anything that can be compared, hashed and shown. It is shown in
/// the names that rejections and events have, such as "upstream/host-a".
///
/// There is nothing to implement.
pub trait Key: Hash + Eq + Display + Send + Sync + 'static {}

impl<K: Hash + Eq + Display + Send + Sync + 'static> Key for K {}

/// Finds the key of a request.
///
/// Any function from a request to an `Option` of an owned key is one, of the very type that is kept: `Box<str>` and
/// not `String`, unless [`keys`](crate::breaker::keyed::KeyedBreakerBuilder::keys) says so. The functions of [`by`](super::by) are
/// for keys that are borrowed from the request: these cost no allocation.
///
/// ```
/// use portcullis::{KeyedBreaker, KeyedBreakerLayer, keyed::by};
///
/// struct Order { tenant: u64, region: String }
///
/// let tenants = KeyedBreaker::builder("tenants").keys::<u64>().build()?;
/// let layer = KeyedBreakerLayer::new(tenants, |order: &Order| Some(order.tenant));
/// # let _ = layer;
///
/// let regions = KeyedBreaker::new("regions");
/// let layer = KeyedBreakerLayer::new(regions, by::text(|order: &Order| Some(&order.region)));
/// # let _ = layer;
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not find the key of requests `{Req}`",
    note = "a function does, from a reference to the request to an `Option` of an owned key of the type that the policy \
            keeps (`Box<str>` unless `keys` says otherwise), and so do the functions of `portcullis::keyed::by`, for \
            keys that are borrowed from the request"
)]
pub trait KeyOf<Req> {
    /// The key, as it is looked up: `str` where `Box<str>` is kept.
    type Key: ?Sized;

    /// Hands the key of a request over to `then`; `None`, when the request has none. It is not returned,
    /// because it may be borrowed, or made for this.
    fn with_key<R>(&self, request: &Req, then: impl FnOnce(Option<&Self::Key>) -> R) -> R;
}

impl<F, Req, K> KeyOf<Req> for F
where
    F: Fn(&Req) -> Option<K>,
{
    type Key = K;

    #[inline]
    fn with_key<R>(&self, request: &Req, then: impl FnOnce(Option<&K>) -> R) -> R {
        then(self(request).as_ref())
    }
}
