//! How long things took, counted by length.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use super::{BUCKETS, Bucket};

/// A count for each of [`BUCKETS`], and one for what is longer. Shared by all threads: for what is rare, or has waited
/// anyway.
#[derive(Debug, Default)]
pub(crate) struct Buckets([(AtomicU64, AtomicU64); BUCKETS.len() + 1]);

impl Buckets {
    /// Counts one that took this long.
    pub(crate) fn record(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let (count, nanos) = &self.0[BUCKETS.partition_point(|bound| *bound < seconds)];
        // The sum first: who reads in between finds a value that is not counted yet, and sees it the next time.
        nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Relaxed);
        count.fetch_add(1, Relaxed);
    }

    /// All there is.
    pub(crate) fn get(&self) -> [Bucket; BUCKETS.len() + 1] {
        std::array::from_fn(|at| {
            let (count, nanos) = &self.0[at];
            Bucket { count: count.load(Relaxed), sum: Duration::from_nanos(nanos.load(Relaxed)) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_where_it_belongs() {
        let buckets = Buckets::default();
        let millis = Duration::from_millis;
        for took in [Duration::ZERO, millis(1), millis(2), millis(30_000), millis(30_001), Duration::MAX] {
            buckets.record(took);
        }
        let counts = buckets.get().map(|bucket| bucket.count);
        assert_eq!((counts[0], counts[1], counts[13], counts[14]), (2, 1, 1, 2));
        assert_eq!(counts.iter().sum::<u64>(), 6);
        assert_eq!((buckets.get()[0].sum, buckets.get()[13].sum), (millis(1), millis(30_000)));
    }
}
