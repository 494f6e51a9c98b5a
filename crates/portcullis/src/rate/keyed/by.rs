//! The limits of a keyed rate limit, for a layer.

use std::{borrow::Borrow, borrow::Cow, fmt, hash::Hash};

use super::KeyedRateLimit;
use crate::{
    keyed::{Key, KeyOf},
    rate::{Limits, RateLimit},
};

/// The limits of a [`KeyedRateLimit`], picked by the key of a request. Made by [`KeyedRateLimit::by`].
#[derive(Clone)]
pub struct ByKey<K, F> {
    limits: KeyedRateLimit<K>,
    key_of: F,
}

impl<K, F> ByKey<K, F> {
    pub(super) fn new(limits: KeyedRateLimit<K>, key_of: F) -> Self {
        Self { limits, key_of }
    }
}

impl<K, F, Req> Limits<Req> for ByKey<K, F>
where
    K: Key + Borrow<F::Key>,
    F: KeyOf<Req, Key: Hash + Eq + ToOwned<Owned: Into<K>>>,
{
    #[inline]
    fn limit(&self, request: &Req) -> Option<Cow<'_, RateLimit>> {
        self.key_of.with_key(request, |key| key.map(|key| Cow::Owned(self.limits.limit(key))))
    }
}

impl<K, F> fmt::Debug for ByKey<K, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByKey").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl<K: crate::keyed::Key, F> crate::registry::Member for ByKey<K, F> {
    fn member(&self) -> Option<(portcullis_core::Name, std::sync::Weak<dyn crate::registry::Policy>)> {
        self.limits.member()
    }
}
