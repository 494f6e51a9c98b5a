//! Where chance comes from.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A source of chance.
pub(crate) enum Dice {
    Thread,
    /// The same numbers every time, in the order of asking.
    Seeded(AtomicU64),
}

impl Dice {
    pub(crate) fn new(seed: Option<u64>) -> Self {
        seed.map_or(Self::Thread, |seed| Self::Seeded(AtomicU64::new(seed)))
    }

    /// Any 64 bits.
    pub(crate) fn draw(&self) -> u64 {
        match self {
            Self::Thread => fastrand::u64(..),
            Self::Seeded(next) => fastrand::Rng::with_seed(next.fetch_add(1, Relaxed)).u64(..),
        }
    }

    /// Whether what has this chance, 0 to 1, happens.
    pub(crate) fn happens(&self, chance: f64) -> bool {
        // The 53 highest bits as a share of 1.
        ((self.draw() >> 11) as f64 / (1u64 << 53) as f64) < chance
    }
}
