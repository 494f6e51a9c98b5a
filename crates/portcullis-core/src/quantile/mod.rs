//! How long calls take: quantiles of the durations of the last minute or so.
//!
//! For delays and time limits that follow what is usual: a hedge is sent when a call takes longer than 95 of
//! 100, an adaptive timeout ends what takes longer than nearly all. Not for reports of latency: for those
//! there are histograms that lose nothing, and forget nothing.
//!
//! [`Quantiles`] is told of every duration, and costs a look at a word that seldom changes and one addition on
//! the calling thread's own cache lines. [`Followed`] is one quantile that is looked up now and then, because
//! the look itself goes through all buckets of all threads.
//!
//! ```
//! use portcullis_core::{Time, quantile::Quantiles};
//! use std::time::Duration;
//!
//! let quantiles = Quantiles::new(Duration::from_secs(60), 1);
//! let now = Time::from_millis(1);
//! for millis in 1..=100 {
//!     quantiles.record(0, Duration::from_millis(millis), now);
//! }
//! let p95 = quantiles.quantile(0.95, 100, now).expect("a hundred have been seen");
//! assert!(p95.abs_diff(Duration::from_millis(95)) < Duration::from_millis(4));
//! assert_eq!(quantiles.quantile(0.95, 101, now), None, "too few to tell");
//! ```
//!
//! # Error
//!
//! Buckets are log-linear, as in Gil Tene's `HdrHistogram`: sixteen of equal width between one power of two
//! and the next, from 1 µs to 73 minutes. What is told is the middle of a bucket, at most 3.2 % off. Shorter and
//! longer durations are counted in the first and the last.
//!
//! # Forgetting
//!
//! Durations are counted by generations of half the span. What is seen is the newest generation and the one
//! before it, so between half the span and all of it; when the newest ends, the third, emptied beforehand,
//! takes its place. Nobody waits for that: who comes meanwhile counts in the generation that ends.
//!
//! # Memory
//!
//! 6 KiB for each shard, whatever the number of calls.

pub(crate) mod buckets;
mod followed;
mod generations;
#[cfg(all(test, portcullis_loom))]
mod loom_tests;
#[cfg(all(test, not(portcullis_loom)))]
mod tests;

use std::{fmt, time::Duration};

use self::{buckets::BUCKETS, generations::Generations};
use crate::Time;

pub use followed::{Followed, LOOK_EVERY};

/// Fewer would make every hiccup a quantile.
pub const MIN_SPAN: Duration = Duration::from_secs(1);
/// With more, counts of 32 bits could overflow, and what is usual now would be seen too late.
pub const MAX_SPAN: Duration = Duration::from_secs(10 * 60);

/// Of each duration, so many calls at most are taken over from elsewhere.
const MOST_RESUMED: u64 = 1_000_000;

/// Durations of the last span, counted without a lock; see the [module](self).
pub struct Quantiles {
    counts: Generations<BUCKETS>,
}

impl Quantiles {
    /// Nothing seen yet, over `span` (1 s to 10 min; the nearest of these for any other), counted by so many
    /// shards (1 to 1024, rounded up to a power of two).
    pub fn new(span: Duration, shards: usize) -> Self {
        let half = span.clamp(MIN_SPAN, MAX_SPAN) / 2;
        Self { counts: Generations::new(half, shards) }
    }

    /// Counts one call that took this long and ended at `now`, by the calling thread's shard.
    #[inline]
    pub fn record(&self, shard: usize, took: Duration, now: Time) {
        self.counts.count(shard, buckets::of(took), now);
    }

    /// The duration that this share of the calls (0 to 1) did not exceed; `None` when fewer than `least` calls
    /// were seen, or none.
    ///
    /// It goes through every bucket of every shard: to ask often, [follow](Followed) it.
    pub fn quantile(&self, share: f64, least: u64, now: Time) -> Option<Duration> {
        let counts = self.counts.sum(now);
        let seen: u64 = counts.iter().sum();
        if seen < least.max(1) {
            return None;
        }
        // `NaN` becomes 0. The share of a count that a float cannot hold exactly is off by less than a call.
        let rank = ((share.clamp(0.0, 1.0) * seen as f64).ceil() as u64).clamp(1, seen);
        let mut below = 0;
        let bucket = counts.iter().position(|&count| {
            below += count;
            below >= rank
        });
        bucket.map(buckets::middle)
    }

    /// The durations that are seen at `now`, and how many calls took so long.
    pub fn memory(&self, now: Time) -> Vec<(Duration, u64)> {
        let counts = self.counts.sum(now);
        let seen = counts.iter().enumerate().filter(|(_, count)| **count > 0);
        seen.map(|(bucket, count)| (buckets::middle(bucket), *count)).collect()
    }

    /// Counts what was seen elsewhere as if it had ended at `now`; of no duration more than a million calls.
    pub fn resume(&self, seen: impl IntoIterator<Item = (Duration, u64)>, now: Time) {
        for (took, count) in seen.into_iter().take(BUCKETS) {
            self.counts.count_many(0, buckets::of(took), count.min(MOST_RESUMED) as u32, now);
        }
    }

    /// How many calls are seen at `now`.
    pub fn seen(&self, now: Time) -> u64 {
        self.counts.sum(now).iter().sum()
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.counts.heap_bytes()
    }
}

impl fmt::Debug for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quantiles").field("bytes", &self.heap_bytes()).finish_non_exhaustive()
    }
}
