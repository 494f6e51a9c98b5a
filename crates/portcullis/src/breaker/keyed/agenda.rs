//! When which key's state ends.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use portcullis_core::Time;

use super::one::One;
use crate::{clock, keyed::Key};

/// The keys whose state ends by time, in the order in which that is due.
pub(super) struct Agenda<K> {
    /// Those that have changed since the last look.
    changed: Mutex<Vec<Weak<One<K>>>>,
    dates: Mutex<BinaryHeap<Reverse<Date<K>>>>,
}

/// A key is to be looked at then, unless it has made another date since.
struct Date<K> {
    at: Time,
    key: Weak<One<K>>,
}

impl<K> Default for Agenda<K> {
    fn default() -> Self {
        Self { changed: Mutex::default(), dates: Mutex::new(BinaryHeap::new()) }
    }
}

#[cfg(test)]
impl<K> Agenda<K> {
    pub(super) fn len(&self) -> usize {
        lock(&self.changed).len() + lock(&self.dates).len()
    }
}

impl<K: Key> Agenda<K> {
    /// This key has changed.
    pub(super) fn add(&self, key: &Arc<One<K>>) {
        lock(&self.changed).push(Arc::downgrade(key));
    }

    /// Forgets everything. Whatever is due then has to be added again.
    pub(super) fn clear(&self) {
        let changed = mem::take(&mut *lock(&self.changed));
        drop(changed); // with no lock held, as the keys below
        let dates = mem::take(&mut *lock(&self.dates));
        for Reverse(date) in dates {
            // A key that has a date is not put down for the same once more.
            let _ = date.key.upgrade().map(|key| key.is_due_at(date.at));
        }
    }

    /// Does what is due by now, with no lock held; returns when something is next.
    pub(super) fn tick(&self) -> Option<Time> {
        for date in self.dates_until(clock::now()) {
            if let Some(key) = date.key.upgrade().filter(|key| key.is_due_at(date.at)) {
                self.look(&key);
            }
        }
        loop {
            let changed = mem::take(&mut *lock(&self.changed));
            if changed.is_empty() {
                return lock(&self.dates).peek().map(|Reverse(date)| date.at);
            }
            changed.iter().filter_map(Weak::upgrade).for_each(|key| self.look(&key));
        }
    }

    fn look(&self, key: &Arc<One<K>>) {
        if let Some(at) = key.tick() {
            lock(&self.dates).push(Reverse(Date { at, key: Arc::downgrade(key) }));
        }
    }

    fn dates_until(&self, now: Time) -> Vec<Date<K>> {
        let mut dates = lock(&self.dates);
        let mut due = Vec::new();
        while dates.peek().is_some_and(|Reverse(date)| date.at <= now) {
            due.extend(dates.pop().map(|Reverse(date)| date));
        }
        due
    }
}

/// Nothing that panics is ever done under these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K> PartialEq for Date<K> {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl<K> Eq for Date<K> {}

impl<K> PartialOrd for Date<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Date<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}
