//! One shard's entries, and the hand that goes round over them.

use std::{
    borrow::Borrow,
    hash::{BuildHasher, Hash, RandomState},
    sync::Arc,
    time::Duration,
};

use hashbrown::HashTable;
use portcullis_core::Time;

use super::{Entry, KeyedValue, entry::Fate};

/// How far the hand walks for one entry to look at, at most: a table is shrunk before it is emptier.
const BUCKETS_A_LOOK: usize = 8;
/// A table for fewer entries is not worth shrinking.
const SMALL: usize = 64;

pub(super) struct Table<K, V> {
    entries: HashTable<Arc<Entry<K, V>>>,
    hasher: RandomState,
    hand: usize,
}

/// What the hand came across.
pub(super) struct Walk {
    /// How many buckets it passed.
    pub(super) buckets: usize,
    /// Where the entry is that was not used for longest and may go; unknown when others went.
    pub(super) oldest: Option<usize>,
}

impl<K: Hash, V> Table<K, V> {
    pub(super) fn new(hasher: RandomState) -> Self {
        Self { entries: HashTable::new(), hasher, hand: 0 }
    }

    #[inline]
    pub(super) fn find<Q>(&self, hash: u64, key: &Q) -> Option<&Arc<Entry<K, V>>>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.entries.find(hash, |entry| entry.key().borrow() == key)
    }

    /// Adds an entry whose key is not there.
    pub(super) fn insert(&mut self, hash: u64, entry: Arc<Entry<K, V>>) {
        let hasher = &self.hasher;
        self.entries.insert_unique(hash, entry, |entry| hasher.hash_one(entry.key()));
    }

    pub(super) fn remove(&mut self, bucket: usize) -> Option<Arc<Entry<K, V>>> {
        Some(self.entries.get_bucket_entry(bucket).ok()?.remove().0)
    }

    pub(super) fn buckets(&self) -> usize {
        self.entries.num_buckets()
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Arc<Entry<K, V>>> {
        self.entries.iter()
    }

    /// Gives back the memory of a table that is nearly empty. Afterwards it is about half full, so that many
    /// entries must come or go before it is built anew.
    fn shrink(&mut self) {
        let (len, capacity) = (self.entries.len(), self.entries.capacity());
        if capacity > SMALL && len < capacity / BUCKETS_A_LOOK {
            let hasher = &self.hasher;
            self.entries.shrink_to(len * 2, |entry| hasher.hash_one(entry.key()));
        }
    }
}

impl<K: Hash, V: KeyedValue> Table<K, V> {
    /// Looks at the next few entries and removes those that are idle, into `gone`.
    pub(super) fn walk(
        &mut self,
        looks: usize,
        now: Time,
        idle_after: Duration,
        gone: &mut Vec<Arc<Entry<K, V>>>,
    ) -> Walk {
        let (len, before) = (self.buckets(), gone.len());
        let most = len.min(looks.saturating_mul(BUCKETS_A_LOOK));
        let (mut left, mut buckets) = (looks, 0);
        let mut oldest: Option<(usize, Time)> = None;
        while left > 0 && buckets < most {
            buckets += 1;
            self.hand = if self.hand + 1 < len { self.hand + 1 } else { 0 };
            let Ok(entry) = self.entries.get_bucket_entry(self.hand) else { continue };
            left -= 1;
            match entry.get().fate(now, idle_after) {
                Fate::Stays => {}
                Fate::Idle => gone.push(entry.remove().0),
                Fate::Spare(used) if oldest.is_none_or(|(_, longest)| used < longest) => {
                    oldest = Some((self.hand, used));
                }
                Fate::Spare(_) => {}
            }
        }
        if gone.len() > before {
            self.shrink();
            return Walk { buckets, oldest: None };
        }
        Walk { buckets, oldest: oldest.map(|(bucket, _)| bucket) }
    }
}
