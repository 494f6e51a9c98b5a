//! A keyed hedge at a moment.

use crate::{
    Hedge,
    hedge::HedgeStatus,
    keyed::{Evictions, Key, budgeted::Budgeted, many::Many},
};

/// A keyed hedge at a moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct KeyedHedgeStatus {
    /// How many keys there are.
    pub keys: usize,
    /// How many there may be.
    pub max_keys: usize,
    /// How many were forgotten.
    pub evictions: Evictions,
    /// How often there was no room for a key.
    pub overflows: u64,
    /// The policies of all keys together, of those too that are forgotten. Its budget is that of a new key.
    pub all: HedgeStatus,
    /// The policy of the keys without room.
    pub overflow: HedgeStatus,
}

impl<K: Key> Many<K, Hedge> {
    pub(super) fn status(&self) -> KeyedHedgeStatus {
        let Self { keys, common, overflow, .. } = self;
        KeyedHedgeStatus {
            keys: keys.len(),
            max_keys: keys.limits().max_keys,
            evictions: keys.evictions(),
            overflows: keys.overflows(),
            all: Hedge::all(common),
            overflow: overflow.status(),
        }
    }
}
