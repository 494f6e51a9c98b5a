//! How calls of late are distributed over the levels.

use super::level::{LOTS, Rank};
use crate::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Calls that count; older ones fade. Enough for a share to be right within a few percent, and few enough to
/// follow when other calls come. (As many as DAGOR looks at, and twice failsafe-go.)
const REMEMBERED: f64 = 2000.0;

/// Calls by level, since they were last taken over into a [`Memory`]. Counted only while the load is watched.
#[derive(Debug)]
pub(super) struct Arrivals(Box<[AtomicU32]>);

impl Arrivals {
    pub(super) fn new(levels: u32) -> Self {
        Self((0..levels).map(|_| AtomicU32::new(0)).collect())
    }

    pub(super) fn count(&self, rank: Rank) {
        if let Some(calls) = self.0.get(rank.level() as usize) {
            calls.fetch_add(1, Relaxed);
        }
    }

    /// Takes what was counted. Each call is in exactly one of the results.
    pub(super) fn take(&self) -> impl Iterator<Item = u32> {
        self.0.iter().map(|calls| match calls.load(Relaxed) {
            // Most levels, most of the time: nothing is written.
            0 => 0,
            _ => calls.swap(0, Relaxed),
        })
    }
}

/// About the last 2000 calls by level.
#[derive(Debug)]
pub(super) struct Memory(Box<[f64]>);

impl Memory {
    pub(super) fn new(levels: u32) -> Self {
        Self(vec![0.0; levels as usize].into())
    }

    pub(super) fn clear(&mut self) {
        self.0.fill(0.0);
    }

    /// Calls that are remembered.
    fn total(&self) -> f64 {
        self.0.iter().sum()
    }

    /// Takes over what came since; as much of what was before is forgotten.
    pub(super) fn add(&mut self, arrivals: &Arrivals) {
        self.0.iter_mut().zip(arrivals.take()).for_each(|(known, new)| *known += f64::from(new));
        let total = self.total();
        if total > REMEMBERED {
            self.0.iter_mut().for_each(|known| *known *= REMEMBERED / total);
        }
    }

    /// The lowest rank to be admitted, for a share of the calls to be refused: all below it.
    pub(super) fn threshold(&self, cut: f64) -> Rank {
        let mut left = cut * self.total();
        if left > 0.0 {
            for (level, known) in self.0.iter().enumerate() {
                if left < *known {
                    // Of the level itself, a part by lot.
                    let lots = (left / known * f64::from(LOTS)).round() as u32;
                    return Rank(level as u32 * LOTS + lots.min(LOTS));
                }
                left -= known;
            }
        }
        // Nothing is to be refused; or nothing is known of what comes.
        Rank(0)
    }
}
