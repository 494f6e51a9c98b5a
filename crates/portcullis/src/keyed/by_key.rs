//! The policies of a keyed policy, for a layer.

use std::{borrow::Cow, fmt};

use super::KeyOf;

/// The policies of a keyed policy, picked by the key of a request. Made by its `by`, such as
/// [`KeyedRetry::by`](crate::retry::KeyedRetry::by).
#[derive(Clone)]
pub struct ByKey<P, F> {
    policies: P,
    key_of: F,
}

impl<P, F> ByKey<P, F> {
    pub(crate) const fn new(policies: P, key_of: F) -> Self {
        Self { policies, key_of }
    }

    /// What there is for the key of a request; nothing, where it has none.
    #[inline]
    pub(crate) fn pick<Req, T: Clone>(
        &self,
        request: &Req,
        of: impl FnOnce(&P, &F::Key) -> T,
    ) -> Option<Cow<'_, T>>
    where
        F: KeyOf<Req>,
    {
        self.key_of.with_key(request, |key| key.map(|key| Cow::Owned(of(&self.policies, key))))
    }
}

impl<P: fmt::Debug, F> fmt::Debug for ByKey<P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByKey").field("policies", &self.policies).finish_non_exhaustive()
    }
}

crate::registry::member!([P: crate::registry::Member, F] ByKey<P, F>, policies);
