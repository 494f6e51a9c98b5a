//! Where every call goes by: what is in flight, and the lowest rank that is let in.

use super::level::Rank;
use crate::{
    Padded, Priority,
    sync::atomic::{
        AtomicU32,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
};

/// No limit.
pub(super) const UNLIMITED: u32 = u32::MAX;

/// Nothing is watched: all ranks are let in, and none is counted.
const CALM: u32 = 0;

/// Calls in flight, and who may join them.
#[derive(Debug)]
pub(super) struct Gate {
    /// Written by every call, and so alone on its line.
    in_flight: Padded<AtomicU32>,
    /// How many calls of each class find how many others in flight.
    limits: [AtomicU32; Priority::COUNT],
    /// [`CALM`], or one more than the lowest rank that is let in.
    threshold: AtomicU32,
}

/// A call found as many in flight as its class may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full {
    pub(super) in_flight: u32,
    pub(super) limit: u32,
}

impl Gate {
    pub(super) fn new(limits: [u32; Priority::COUNT]) -> Self {
        Self {
            in_flight: Padded(AtomicU32::new(0)),
            limits: limits.map(AtomicU32::new),
            threshold: AtomicU32::new(CALM),
        }
    }

    /// Goes in, if there is room for this class. It is one compare-exchange, and not an addition that is taken
    /// back: that would, for a moment, keep others out though there is room.
    #[inline(always)]
    pub(super) fn enter(&self, priority: Priority) -> Result<(), Full> {
        let limit = self.limits[priority as usize].load(Relaxed);
        let mut in_flight = self.in_flight.load(Relaxed);
        while in_flight < limit {
            // A failure means that another came or went. Acquire pairs with the release of who left.
            match self.in_flight.compare_exchange_weak(in_flight, in_flight + 1, Acquire, Relaxed) {
                Ok(_) => return Ok(()),
                Err(now) => in_flight = now,
            }
        }
        Err(Full { in_flight, limit })
    }

    /// Goes in, whether there is room or not.
    pub(super) fn force(&self) {
        self.in_flight.fetch_add(1, Acquire);
    }

    /// Leaves.
    #[inline(always)]
    pub(super) fn leave(&self) {
        self.in_flight.fetch_sub(1, AcqRel);
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight.load(Relaxed)
    }

    pub(super) fn limit(&self, priority: Priority) -> u32 {
        self.limits[priority as usize].load(Relaxed)
    }

    pub(super) fn set_limits(&self, limits: [u32; Priority::COUNT]) {
        self.limits.iter().zip(limits).for_each(|(known, limit)| known.store(limit, Relaxed));
    }

    /// The lowest rank that is let in; `None` while nothing is watched.
    #[inline(always)]
    pub(super) fn threshold(&self) -> Option<Rank> {
        self.threshold.load(Relaxed).checked_sub(1).map(Rank)
    }

    pub(super) fn set_threshold(&self, threshold: Option<Rank>) {
        let word = threshold.map_or(CALM, |rank| rank.0 + 1);
        if self.threshold.load(Relaxed) != word {
            self.threshold.store(word, Relaxed);
        }
    }
}
