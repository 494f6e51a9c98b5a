//! Permits of one key, held by one call.

use std::fmt;

use portcullis_core::Verdict;

use super::one::{OneKey, Owner};
use crate::{Ticket, keyed::Key};

/// A keyed bulkhead's permits for one call, given back when it is dropped. How the call ended is nothing to it. While
/// it lives, its key is not forgotten.
#[must_use = "dropped, it gives the permits back"]
pub struct KeyedBulkheadTicket<K = Box<str>> {
    owner: Owner<K>,
    taken: u32,
}

impl<K> KeyedBulkheadTicket<K> {
    #[inline(always)]
    pub(super) fn new(owner: Owner<K>, taken: u32) -> Self {
        Self { owner, taken }
    }

    /// How many permits it holds; none while the bulkhead is [disabled](crate::Mode::Disabled).
    pub fn permits(&self) -> u32 {
        self.taken
    }

    /// Whether the call counts with those that have no key of their own: because it has none, or because there is no
    /// room for it.
    pub fn is_of_others(&self) -> bool {
        matches!(self.owner, Owner::Others(_))
    }
}

impl<K> Ticket for KeyedBulkheadTicket<K> {
    #[inline(always)]
    fn settle(&mut self, _: Verdict) {}

    #[inline(always)]
    fn heeds(&self) -> bool {
        false
    }
}

impl<K> Drop for KeyedBulkheadTicket<K> {
    #[inline]
    fn drop(&mut self) {
        let OneKey { common, account, .. } = self.owner.one();
        common.semaphore.release(account, self.taken);
    }
}

impl<K: Key> fmt::Debug for KeyedBulkheadTicket<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedBulkheadTicket")
            .field("bulkhead", self.owner.name())
            .field("permits", &self.taken)
            .finish()
    }
}
