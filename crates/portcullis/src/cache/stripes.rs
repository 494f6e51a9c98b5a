//! Which calls have begun before something was thrown away.

use std::{
    array,
    hash::{BuildHasher, Hash, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Enough that two keys seldom share one.
const STRIPES: usize = 64;

/// A number for each of some groups of keys, that grows whenever something of the group is thrown away. A call that has
/// begun under another number came too late: what it has come to may be what was thrown away, and is not kept.
///
/// Who changes what is kept holds the lock of the group. Who looks something up does not.
pub(super) struct Stripes {
    hasher: RandomState,
    numbers: [Mutex<u64>; STRIPES],
}

impl Default for Stripes {
    fn default() -> Self {
        Self { hasher: RandomState::new(), numbers: array::from_fn(|_| Mutex::new(0)) }
    }
}

impl Stripes {
    /// The group's of this key.
    pub(super) fn of<Q: Hash + ?Sized>(&self, key: &Q) -> MutexGuard<'_, u64> {
        let hash = self.hasher.hash_one(key);
        lock(&self.numbers[hash as usize % STRIPES])
    }

    /// All of them. One at a time may ask for these: they are taken in an order, and others want one only.
    pub(super) fn all(&self) -> Vec<MutexGuard<'_, u64>> {
        self.numbers.iter().map(lock).collect()
    }
}

fn lock(number: &Mutex<u64>) -> MutexGuard<'_, u64> {
    // A number is always one, whatever panics under its lock.
    number.lock().unwrap_or_else(PoisonError::into_inner)
}
