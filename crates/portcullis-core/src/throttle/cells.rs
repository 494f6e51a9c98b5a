//! Counts per shard: each thread writes lines of its own, a reader sums them.

use crate::{
    Padded,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// One shard's counts. All but `open` only ever grow.
#[derive(Default)]
pub(super) struct Cell {
    /// Let through.
    pub(super) admitted: AtomicU64,
    pub(super) accepted: AtomicU64,
    pub(super) refused: AtomicU64,
    /// Ended without a word about the dependency.
    pub(super) ignored: AtomicU64,
    /// Held back.
    pub(super) held: AtomicU64,
    /// Answered, and to be judged by their end.
    open: AtomicU64,
}

/// Sums over all shards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) admitted: u64,
    pub(super) accepted: u64,
    pub(super) refused: u64,
    pub(super) ignored: u64,
    pub(super) held: u64,
    pub(super) open: u64,
}

impl Cell {
    pub(super) fn open(&self) -> u64 {
        bump(&self.open)
    }

    pub(super) fn close(&self) {
        self.open.fetch_sub(1, Relaxed);
    }
}

/// Adds one, and says how many there are.
#[inline(always)]
pub(super) fn bump(count: &AtomicU64) -> u64 {
    count.fetch_add(1, Relaxed).wrapping_add(1)
}

impl Totals {
    pub(super) fn of(cells: &[Padded<Cell>]) -> Self {
        cells.iter().fold(Self::default(), |sum, cell| Self {
            admitted: sum.admitted.wrapping_add(cell.admitted.load(Relaxed)),
            accepted: sum.accepted.wrapping_add(cell.accepted.load(Relaxed)),
            refused: sum.refused.wrapping_add(cell.refused.load(Relaxed)),
            ignored: sum.ignored.wrapping_add(cell.ignored.load(Relaxed)),
            held: sum.held.wrapping_add(cell.held.load(Relaxed)),
            open: sum.open.wrapping_add(cell.open.load(Relaxed)),
        })
    }

    /// Calls of which anything was heard.
    pub(super) fn answered(&self) -> u64 {
        self.accepted.wrapping_add(self.refused).wrapping_add(self.ignored).wrapping_add(self.open)
    }
}
