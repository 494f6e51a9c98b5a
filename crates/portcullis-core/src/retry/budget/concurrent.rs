//! Retries in flight, next to calls in flight: the retry budget of Envoy's circuit breakers.

use crate::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

/// Shares are kept in billionths.
const WHOLE: u64 = 1_000_000_000;

/// The calls that one shard has seen begin and end, while this kind was in use.
#[derive(Default)]
pub(super) struct Traffic {
    begun: AtomicU64,
    ended: AtomicU64,
}

impl Traffic {
    pub(super) fn begin(&self) {
        // With it go the ends before it: see `in_flight`.
        self.begun.fetch_add(1, Release);
    }

    pub(super) fn end(&self) {
        self.ended.fetch_add(1, Relaxed);
    }

    /// Calls in flight, of all shards. First all beginnings, then all ends: the other way, or shard by shard, a
    /// call that ends here before another begins there could be seen to overlap with it, and pay for a retry
    /// too many. Calls that end in between are missed, which is the safe side.
    pub(super) fn in_flight<'a>(shards: impl Iterator<Item = &'a Self> + Clone) -> u64 {
        let begun = shards.clone().fold(0u64, |sum, shard| sum.wrapping_add(shard.begun.load(Acquire)));
        let ended = shards.fold(0u64, |sum, shard| sum.wrapping_add(shard.ended.load(Relaxed)));
        // As signed, what is below nothing is nothing; the counters may have gone round.
        u64::try_from(begun.wrapping_sub(ended) as i64).unwrap_or(0)
    }
}

/// The retries in flight, and how many there may be.
#[derive(Default)]
pub(super) struct Concurrent {
    lent: AtomicU64,
    ratio: AtomicU64,
    min: AtomicU64,
}

impl Concurrent {
    pub(super) fn set(&self, ratio: f64, min: u32) {
        self.ratio.store((ratio * WHOLE as f64).round() as u64, Relaxed);
        self.min.store(min.into(), Relaxed);
    }

    /// Retries there may be for so many calls in flight: fewer than a share of them, or a least number.
    fn most(&self, in_flight: u64) -> u64 {
        let share = in_flight.saturating_mul(self.ratio.load(Relaxed)).div_ceil(WHOLE);
        share.max(self.min.load(Relaxed))
    }

    pub(super) fn lend(&self, in_flight: u64) -> bool {
        let most = self.most(in_flight);
        self.lent.fetch_update(AcqRel, Relaxed, |lent| (lent < most).then_some(lent + 1)).is_ok()
    }

    pub(super) fn give_back(&self) {
        let _ = self.lent.fetch_update(AcqRel, Relaxed, |lent| lent.checked_sub(1));
    }

    pub(super) fn available(&self, in_flight: u64) -> u64 {
        self.most(in_flight).saturating_sub(self.lent.load(Relaxed))
    }
}
