//! A key, its value, and when it was last used.

use std::{
    fmt,
    sync::Arc,
    sync::atomic::{AtomicU64, Ordering, fence},
    time::Duration,
};

use portcullis_core::Time;

use super::KeyedValue;

/// A key of a [`Keyed`](super::Keyed) map with its value. While anybody holds it, it stays in the map.
pub struct Entry<K, V> {
    key: K,
    value: V,
    used: AtomicU64,
}

/// What may become of an entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Stays,
    /// It goes at once.
    Idle,
    /// It may go when its place is needed; unused since then.
    Spare(Time),
}

impl<K, V> Entry<K, V> {
    pub(super) fn new(key: K, value: V, now: Time) -> Self {
        Self { key, value, used: AtomicU64::new(now.as_nanos()) }
    }

    /// The key.
    pub fn key(&self) -> &K {
        &self.key
    }

    /// The value.
    pub fn value(&self) -> &V {
        &self.value
    }

    /// When it was last looked up.
    pub fn used(&self) -> Time {
        Time::from_nanos(self.used.load(Ordering::Relaxed))
    }

    #[inline]
    pub(super) fn touch(&self, now: Time) {
        self.used.store(now.as_nanos(), Ordering::Relaxed);
    }
}

impl<K, V: KeyedValue> Entry<K, V> {
    /// To be asked under the write lock of the entry's table: nobody can get a reference meanwhile.
    pub(super) fn fate(self: &Arc<Self>, now: Time, idle_after: Duration) -> Fate {
        if Arc::strong_count(self) > 1 {
            return Fate::Stays;
        }
        // The count was read as it was left by whoever dropped the last reference; what they did to the
        // value before that must be seen too.
        fence(Ordering::Acquire);
        let used = self.used();
        let idle = now.since(used) >= idle_after;
        match (self.value.may_go(now, idle), idle) {
            (false, _) => Fate::Stays,
            (true, true) => Fate::Idle,
            (true, false) => Fate::Spare(used),
        }
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Entry<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("key", &self.key).field("value", &self.value).finish_non_exhaustive()
    }
}
