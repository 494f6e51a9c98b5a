//! Counts per shard: each thread writes lines of its own, a reader sums them.

use super::state::{Epoch, VALUE_MASK};
use crate::{
    Padded,
    sync::atomic::{
        AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
};

/// One shard's counts. `successes` is tagged with its epoch; the others only ever grow.
#[derive(Default)]
pub(crate) struct Cell {
    successes: AtomicU64,
    /// Successes of epochs that are over.
    past: AtomicU64,
    pub(crate) failures: AtomicU64,
    pub(crate) ignored: AtomicU64,
    pub(crate) abandoned: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) late: AtomicU64,
}

/// Totals over all shards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) successes: u64,
    pub(crate) failures: u64,
    pub(crate) ignored: u64,
    pub(crate) abandoned: u64,
    pub(crate) refused: u64,
    pub(crate) late: u64,
}

pub(crate) struct Counters(Box<[Padded<Cell>]>);

impl Counters {
    /// `shards` is rounded up to a power of two.
    pub(crate) fn new(shards: usize) -> Self {
        let shards = shards.clamp(1, 1024).next_power_of_two();
        Self((0..shards).map(|_| Padded::default()).collect())
    }

    #[inline]
    pub(crate) fn cell(&self, shard: usize) -> &Cell {
        // A power of two of shards: the mask never leaves the slice.
        &self.0[shard & (self.0.len() - 1)]
    }

    /// Counts a success of `epoch`.
    #[inline]
    pub(crate) fn success(&self, shard: usize, epoch: Epoch) {
        let cell = self.cell(shard);
        let seen = cell.successes.load(Relaxed);
        let counted = match epoch.untag(seen) {
            Some(_) => cell.successes.compare_exchange(seen, seen + 1, AcqRel, Relaxed).is_ok(),
            None => false,
        };
        if !counted {
            cell.success_slow(epoch);
        }
    }

    /// Counts a success that belongs to no window.
    pub(crate) fn past_success(&self, shard: usize) {
        bump(&self.cell(shard).past);
    }

    /// Successes of `epoch`. Every success that was counted before this call is in the sum.
    pub(crate) fn successes_of(&self, epoch: Epoch) -> u64 {
        self.0.iter().filter_map(|cell| epoch.untag(cell.successes.load(Acquire))).sum()
    }

    /// Moves every shard to `epoch`, so that no count of an older one can ever be taken for its own.
    pub(crate) fn begin(&self, epoch: Epoch) {
        for cell in &self.0 {
            cell.enter(epoch);
        }
    }

    pub(crate) fn totals(&self) -> Totals {
        self.0.iter().fold(Totals::default(), |mut sum, cell| {
            sum.successes += cell.all_successes();
            sum.failures += cell.failures.load(Relaxed);
            sum.ignored += cell.ignored.load(Relaxed);
            sum.abandoned += cell.abandoned.load(Relaxed);
            sum.refused += cell.refused.load(Relaxed);
            sum.late += cell.late.load(Relaxed);
            sum
        })
    }
}

impl Cell {
    #[cold]
    #[inline(never)]
    fn success_slow(&self, epoch: Epoch) {
        loop {
            self.enter(epoch);
            let seen = self.successes.load(Relaxed);
            if epoch.untag(seen).is_none() {
                return bump(&self.late); // the shard has moved on to a newer epoch
            }
            if self.successes.compare_exchange(seen, seen + 1, AcqRel, Relaxed).is_ok() {
                return;
            }
        }
    }

    /// Makes the count one of `epoch`, unless it is of a newer one; what it held goes to `past`.
    fn enter(&self, epoch: Epoch) {
        loop {
            let seen = self.successes.load(Acquire);
            if !epoch.is_after(Epoch::of(seen)) && seen != 0 {
                return;
            }
            if self.successes.compare_exchange(seen, epoch.tag(0), AcqRel, Relaxed).is_ok() {
                self.past.fetch_add(seen & VALUE_MASK, Relaxed);
                return;
            }
        }
    }

    fn all_successes(&self) -> u64 {
        (self.successes.load(Acquire) & VALUE_MASK) + self.past.load(Relaxed)
    }
}

/// Adds one.
pub(crate) fn bump(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
