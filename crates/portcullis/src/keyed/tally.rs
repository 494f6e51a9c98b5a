//! How many entries there are, and what became of those that are gone.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// How many keys a [`Keyed`](super::Keyed) map has forgotten, by why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evictions {
    /// They were not used for [`idle_after`](super::Limits::idle_after).
    pub idle: u64,
    /// The map was full and another key needed the place.
    pub full: u64,
}

/// Counts of the whole map. A place is taken before an entry is put into a table and given back after it was
/// removed from one, so that all tables together never hold more than the limit.
#[derive(Debug, Default)]
pub(super) struct Tally {
    places: AtomicUsize,
    idle: AtomicU64,
    full: AtomicU64,
    overflows: AtomicU64,
}

impl Tally {
    pub(super) fn take_place(&self, most: usize) -> bool {
        self.places.fetch_update(Relaxed, Relaxed, |taken| (taken < most).then_some(taken + 1)).is_ok()
    }

    pub(super) fn give_back(&self, places: usize) {
        self.places.fetch_sub(places, Relaxed);
    }

    pub(super) fn idle(&self, entries: usize) {
        self.idle.fetch_add(entries as u64, Relaxed);
    }

    pub(super) fn full(&self) {
        self.full.fetch_add(1, Relaxed);
    }

    pub(super) fn overflow(&self) {
        self.overflows.fetch_add(1, Relaxed);
    }

    pub(super) fn len(&self) -> usize {
        self.places.load(Relaxed)
    }

    pub(super) fn evictions(&self) -> Evictions {
        Evictions { idle: self.idle.load(Relaxed), full: self.full.load(Relaxed) }
    }

    pub(super) fn overflows(&self) -> u64 {
        self.overflows.load(Relaxed)
    }
}
