//! A keyed retry at a moment.

use crate::{
    RetryPolicy,
    keyed::{Evictions, Key, budgeted::Budgeted, many::Many},
    retry::RetryStatus,
};

/// A keyed retry at a moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct KeyedRetryStatus {
    /// How many keys there are.
    pub keys: usize,
    /// How many there may be.
    pub max_keys: usize,
    /// How many were forgotten.
    pub evictions: Evictions,
    /// How often there was no room for a key.
    pub overflows: u64,
    /// The policies of all keys together, of those too that are forgotten. Its budget is that of a new key.
    pub all: RetryStatus,
    /// The policy of the keys without room.
    pub overflow: RetryStatus,
}

impl<K: Key> Many<K, RetryPolicy> {
    pub(super) fn status(&self) -> KeyedRetryStatus {
        let Self { keys, common, overflow, .. } = self;
        KeyedRetryStatus {
            keys: keys.len(),
            max_keys: keys.limits().max_keys,
            evictions: keys.evictions(),
            overflows: keys.overflows(),
            all: RetryPolicy::all(common),
            overflow: overflow.status(),
        }
    }
}
