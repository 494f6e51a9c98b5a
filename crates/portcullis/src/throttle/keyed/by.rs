//! The throttles of a keyed throttle, for a layer.

use std::{borrow::Borrow, borrow::Cow, fmt, hash::Hash};

use super::KeyedThrottle;
use crate::{
    keyed::{Key, KeyOf},
    throttle::{Throttle, Throttles},
};

/// The throttles of a [`KeyedThrottle`], picked by the key of a request. Made by [`KeyedThrottle::by`].
#[derive(Clone)]
pub struct ByKey<K, F> {
    throttles: KeyedThrottle<K>,
    key_of: F,
}

impl<K, F> ByKey<K, F> {
    pub(super) fn new(throttles: KeyedThrottle<K>, key_of: F) -> Self {
        Self { throttles, key_of }
    }
}

impl<K, F, Req> Throttles<Req> for ByKey<K, F>
where
    K: Key + Borrow<F::Key>,
    F: KeyOf<Req, Key: Hash + Eq + ToOwned<Owned: Into<K>>>,
{
    #[inline]
    fn throttle(&self, request: &Req) -> Option<Cow<'_, Throttle>> {
        self.key_of.with_key(request, |key| key.map(|key| Cow::Owned(self.throttles.throttle(key))))
    }
}

impl<K, F> fmt::Debug for ByKey<K, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByKey").field("throttles", &self.throttles).finish_non_exhaustive()
    }
}

impl<K: crate::keyed::Key, F> crate::registry::Member for ByKey<K, F> {
    fn member(&self) -> Option<(portcullis_core::Name, std::sync::Weak<dyn crate::registry::Policy>)> {
        self.throttles.member()
    }
}
