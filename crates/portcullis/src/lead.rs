//! What leads to a policy, and costs a call nothing.
//!
//! A future that needs its policy only when something fails need not own it: it takes a number along, by which the
//! policy is found then. A number is copied; a reference would be counted, which costs more than all the rest of such
//! a call. A policy that nobody has any more is not found: what the call must know all the same, it takes along too.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, PoisonError, RwLock, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// The number of a policy. None has that of another, ever.
#[derive(Clone, Copy)]
pub(crate) struct Lead(u64);

/// Where policies of one kind are found by their numbers.
pub(crate) struct Leads<T> {
    next: AtomicU64,
    policies: RwLock<BTreeMap<u64, Weak<T>>>,
}

impl<T> Leads<T> {
    pub(crate) const fn new() -> Self {
        Self { next: AtomicU64::new(0), policies: RwLock::new(BTreeMap::new()) }
    }

    /// A policy of this number, which it is to [give back](Self::end) when it is dropped.
    pub(crate) fn begin(&self, make: impl FnOnce(Lead) -> T) -> Arc<T> {
        let lead = Lead(self.next.fetch_add(1, Relaxed));
        let policy = Arc::new(make(lead));
        let mut policies = self.policies.write().unwrap_or_else(PoisonError::into_inner);
        policies.insert(lead.0, Arc::downgrade(&policy));
        drop(policies);
        policy
    }

    /// The policy, if anybody else still has it.
    pub(crate) fn follow(&self, lead: Lead) -> Option<Arc<T>> {
        self.policies.read().unwrap_or_else(PoisonError::into_inner).get(&lead.0)?.upgrade()
    }

    /// The policy is gone.
    pub(crate) fn end(&self, lead: Lead) {
        let gone = self.policies.write().unwrap_or_else(PoisonError::into_inner).remove(&lead.0);
        drop(gone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Policy(Lead);

    static POLICIES: Leads<Policy> = Leads::new();

    impl Drop for Policy {
        fn drop(&mut self) {
            POLICIES.end(self.0);
        }
    }

    #[test]
    fn a_number_leads_to_its_policy_for_as_long_as_somebody_has_it() {
        let [first, second] = [POLICIES.begin(Policy), POLICIES.begin(Policy)];
        let lead = first.0;
        assert!(POLICIES.follow(lead).is_some_and(|found| Arc::ptr_eq(&found, &first)));
        drop(first);
        assert!(POLICIES.follow(lead).is_none());
        assert!(POLICIES.follow(second.0).is_some());
        drop(second);
        assert!(POLICIES.policies.read().unwrap().get(&lead.0).is_none());
    }

    #[test]
    fn who_was_found_is_not_gone() {
        let policy = POLICIES.begin(Policy);
        let lead = policy.0;
        let found = POLICIES.follow(lead);
        drop(policy);
        assert!(POLICIES.follow(lead).is_some());
        drop(found);
        assert!(POLICIES.follow(lead).is_none());
    }
}
