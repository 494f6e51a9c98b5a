//! The hedges of a keyed hedge, for a layer.

use std::{borrow::Borrow, borrow::Cow, fmt, hash::Hash};

use super::KeyedHedge;
use crate::{
    Hedge,
    hedge::Policies,
    keyed::{Key, KeyOf},
};

/// The hedges of a [`KeyedHedge`], picked by the key of a request. Made by [`KeyedHedge::by`].
#[derive(Clone)]
pub struct ByKey<K, F> {
    policies: KeyedHedge<K>,
    key_of: F,
}

impl<K, F> ByKey<K, F> {
    pub(super) fn new(policies: KeyedHedge<K>, key_of: F) -> Self {
        Self { policies, key_of }
    }
}

impl<K, F, Req> Policies<Req> for ByKey<K, F>
where
    K: Key + Borrow<F::Key>,
    F: KeyOf<Req, Key: Hash + Eq + ToOwned<Owned: Into<K>>>,
{
    #[inline]
    fn policy(&self, request: &Req) -> Option<Cow<'_, Hedge>> {
        self.key_of.with_key(request, |key| key.map(|key| Cow::Owned(self.policies.policy(key))))
    }
}

impl<K, F> fmt::Debug for ByKey<K, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByKey").field("policies", &self.policies).finish_non_exhaustive()
    }
}

impl<K: crate::keyed::Key, F> crate::registry::Member for ByKey<K, F> {
    fn member(&self) -> Option<(portcullis_core::Name, std::sync::Weak<dyn crate::registry::Policy>)> {
        self.policies.member()
    }
}
