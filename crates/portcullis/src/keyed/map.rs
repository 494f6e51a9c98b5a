//! The map.

use std::{
    borrow::Borrow,
    fmt,
    hash::{BuildHasher, Hash, RandomState},
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

use portcullis_core::{ConfigError, Padded, Time};

use super::{Entry, Evictions, KeyedValue, Limits, table::Table, tally::Tally};

/// Two threads seldom meet at one of four times as many locks.
const SHARDS_A_THREAD: usize = 4;
/// Fewer than this many keys are not worth a shard of their own.
const FEWEST_A_SHARD: usize = 64;
/// More than this many keys are too many to be moved at once when a table grows. Not a power of two: a
/// table for 2048 is then three quarters full, and shards that differ a little do not need the double.
const MOST_A_SHARD: usize = 1500;

/// Idle entries are looked for at every insert. More than one, so that the hand overtakes the inserts.
const LOOKS_AT_INSERT: usize = 2;
/// Entries that are looked at in one shard when there must be room: each may be a cache miss, and the
/// oldest of 16 is among the oldest sixteenth.
const LOOKS_FOR_ROOM: usize = 16;
/// Shards besides the key's own that are asked for room.
const OTHERS_ASKED: usize = 8;
/// Entries that a sweep looks at before it lets others have the lock.
const LOOKS_AT_ONCE: usize = 256;

type Shard<K, V> = Padded<RwLock<Table<K, V>>>;

/// A bounded map from keys to values that may be forgotten; see the [module](super).
///
/// `K` is what is kept (`Box<str>`, say), and is looked up by what it borrows as (`&str`).
pub struct Keyed<K, V> {
    limits: Limits,
    hasher: RandomState,
    shards: Box<[Shard<K, V>]>,
    /// Written by inserts only, on lines that lookups do not read.
    tally: Padded<Tally>,
    turn: AtomicUsize,
}

/// What a [`Keyed`] map has for a key.
#[derive(Debug)]
pub enum Lookup<K, V> {
    /// It was there.
    Found(Arc<Entry<K, V>>),
    /// It is new.
    Made(Arc<Entry<K, V>>),
    /// There is no room for it, and nothing that was looked at may go.
    Overflow,
}

impl<K, V> Lookup<K, V> {
    /// The entry, if there is one.
    pub fn into_entry(self) -> Option<Arc<Entry<K, V>>> {
        match self {
            Self::Found(entry) | Self::Made(entry) => Some(entry),
            Self::Overflow => None,
        }
    }
}

impl<K: Hash + Eq, V: KeyedValue> Keyed<K, V> {
    /// An empty map.
    ///
    /// # Errors
    ///
    /// The first limit outside its range.
    pub fn new(limits: Limits) -> Result<Self, ConfigError> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let by_threads = (threads * SHARDS_A_THREAD).min(limits.max_keys / FEWEST_A_SHARD);
        Self::with_shards(limits, by_threads.max(limits.max_keys.div_ceil(MOST_A_SHARD)))
    }

    pub(super) fn with_shards(limits: Limits, shards: usize) -> Result<Self, ConfigError> {
        limits.check()?;
        let hasher = RandomState::new();
        let table = |_| Padded(RwLock::new(Table::new(hasher.clone())));
        let shards = (0..shards.max(1)).map(table).collect();
        Ok(Self { limits, hasher, shards, tally: Padded::default(), turn: AtomicUsize::new(0) })
    }

    /// The value of this key, made if it is not there. `make` runs outside of all locks; when two threads
    /// ask for the same new key at a time, both may make a value, and both get the one that came first.
    #[inline]
    pub fn get_or_insert_with<Q>(&self, key: &Q, now: Time, make: impl FnOnce() -> V) -> Lookup<K, V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned: Into<K>> + ?Sized,
    {
        let hash = self.hasher.hash_one(key);
        match self.find(hash, key, now) {
            Some(entry) => Lookup::Found(entry),
            None => self.insert(hash, Entry::new(key.to_owned().into(), make(), now), now),
        }
    }

    /// The value of this key, which is owned, made if it is not there.
    pub(crate) fn get_or_put(&self, key: K, now: Time, make: impl FnOnce() -> V) -> Lookup<K, V> {
        let hash = self.hasher.hash_one(&key);
        self.insert(hash, Entry::new(key, make(), now), now)
    }

    /// The value of this key, if it is there. This does not count as use.
    pub fn get<Q>(&self, key: &Q) -> Option<Arc<Entry<K, V>>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let hash = self.hasher.hash_one(key);
        self.read(self.shard_of(hash)).find(hash, key).cloned()
    }

    /// Removes everything that is idle now and may go; returns how much that was. Inserts do the same little
    /// by little: this is for maps that seldom get new keys.
    pub fn sweep(&self, now: Time) -> usize {
        (0..self.shards.len()).map(|shard| self.sweep_shard(shard, now)).sum()
    }

    /// Calls `each` for all entries, without a lock. Entries that come or go meanwhile may be left out.
    pub fn for_each(&self, mut each: impl FnMut(&Arc<Entry<K, V>>)) {
        for shard in 0..self.shards.len() {
            let entries: Vec<_> = self.read(shard).entries().cloned().collect();
            entries.iter().for_each(&mut each);
        }
    }

    /// How many keys there are; counts those that are just being inserted.
    pub fn len(&self) -> usize {
        self.tally.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many keys were forgotten.
    pub fn evictions(&self) -> Evictions {
        self.tally.evictions()
    }

    /// How often there was no room for a key.
    pub fn overflows(&self) -> u64 {
        self.tally.overflows()
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    #[inline]
    fn find<Q>(&self, hash: u64, key: &Q, now: Time) -> Option<Arc<Entry<K, V>>>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let table = self.read(self.shard_of(hash));
        let entry = table.find(hash, key)?;
        entry.touch(now);
        Some(entry.clone())
    }

    #[cold]
    #[inline(never)]
    fn insert(&self, hash: u64, entry: Entry<K, V>, now: Time) -> Lookup<K, V> {
        let entry = Arc::new(entry);
        let own = self.shard_of(hash);
        // Before the lock, so that it is dropped after it: what a value does when it goes may take time.
        let mut gone = Vec::new();
        let mut table = self.write(own);
        if let Some(found) = table.find(hash, entry.key()) {
            found.touch(now);
            return Lookup::Found(found.clone());
        }
        if self.tally.take_place(self.limits.max_keys) {
            self.remove_idle(&mut table, LOOKS_AT_INSERT, now, &mut gone);
        } else if !self.make_room(&mut table, now, &mut gone) {
            drop(table);
            return self.insert_by_others(hash, own, entry, now);
        }
        table.insert(hash, entry.clone());
        Lookup::Made(entry)
    }

    /// The key's own shard has nothing to give up, so another must. Only one shard is locked at a time:
    /// somebody else may insert the key meanwhile.
    fn insert_by_others(&self, hash: u64, own: usize, entry: Arc<Entry<K, V>>, now: Time) -> Lookup<K, V> {
        if !self.make_room_by_others(own, now) {
            return self.find(hash, entry.key(), now).map_or_else(
                || {
                    self.tally.overflow();
                    Lookup::Overflow
                },
                Lookup::Found,
            );
        }
        let mut table = self.write(own);
        if let Some(found) = table.find(hash, entry.key()) {
            found.touch(now);
            self.tally.give_back(1);
            return Lookup::Found(found.clone());
        }
        table.insert(hash, entry.clone());
        Lookup::Made(entry)
    }

    fn make_room_by_others(&self, own: usize, now: Time) -> bool {
        let shards = self.shards.len();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        (0..shards)
            .map(|step| turn.wrapping_add(step) % shards)
            .filter(|&shard| shard != own)
            .take(OTHERS_ASKED)
            .any(|shard| {
                let mut gone = Vec::new();
                let mut table = self.write(shard);
                let made = self.make_room(&mut table, now, &mut gone);
                drop(table);
                made
            })
    }

    /// Removes what is idle, or else the oldest that may go. Whether a place is now the caller's.
    fn make_room(&self, table: &mut Table<K, V>, now: Time, gone: &mut Vec<Arc<Entry<K, V>>>) -> bool {
        let walk = table.walk(LOOKS_FOR_ROOM, now, self.limits.idle_after, gone);
        if !gone.is_empty() {
            self.tally.idle(gone.len());
            self.tally.give_back(gone.len() - 1);
            return true;
        }
        let oldest = walk.oldest.and_then(|bucket| table.remove(bucket));
        if oldest.is_some() {
            self.tally.full();
        }
        gone.extend(oldest);
        !gone.is_empty()
    }

    /// Removes what is idle among the next few; returns how many buckets were passed.
    fn remove_idle(
        &self,
        table: &mut Table<K, V>,
        looks: usize,
        now: Time,
        gone: &mut Vec<Arc<Entry<K, V>>>,
    ) -> usize {
        let walk = table.walk(looks, now, self.limits.idle_after, gone);
        if !gone.is_empty() {
            self.tally.idle(gone.len());
            self.tally.give_back(gone.len());
        }
        walk.buckets
    }

    fn sweep_shard(&self, shard: usize, now: Time) -> usize {
        let mut left = self.read(shard).buckets();
        let mut removed = 0;
        while left > 0 {
            let mut gone = Vec::new();
            let passed = self.remove_idle(&mut self.write(shard), LOOKS_AT_ONCE, now, &mut gone);
            left = left.saturating_sub(passed);
            removed += gone.len();
        }
        removed
    }

    /// By other bits of the hash than the table uses, so that a shard's entries do not look alike to it.
    #[inline]
    fn shard_of(&self, hash: u64) -> usize {
        let bits = u64::from((hash >> 20) as u32);
        ((bits * self.shards.len() as u64) >> 32) as usize
    }

    /// A lock is poisoned by a key whose `Eq` or `Hash` panics, which leaves the table whole.
    #[inline]
    fn read(&self, shard: usize) -> RwLockReadGuard<'_, Table<K, V>> {
        self.shards[shard].read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, shard: usize) -> RwLockWriteGuard<'_, Table<K, V>> {
        self.shards[shard].write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> Keyed<K, V> {
    pub(super) fn counts(&self) -> (usize, Evictions) {
        (self.tally.len(), self.tally.evictions())
    }
}

impl<K, V> fmt::Debug for Keyed<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed")
            .field("limits", &self.limits)
            .field("len", &self.tally.len())
            .field("evictions", &self.tally.evictions())
            .field("overflows", &self.tally.overflows())
            .finish_non_exhaustive()
    }
}
