//! What calls tell, collected by each thread on its own cache lines until somebody closes the window.

use crate::{
    Padded,
    quantile::buckets::BUCKETS,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

/// How many buckets a limit has; few where every order of looking at them is tried.
pub(super) const LATENCIES: usize = if cfg!(portcullis_loom) { 2 } else { BUCKETS };

/// Latencies by bucket, and what else is known of the calls of a window, by shard.
pub(super) struct Samples<const N: usize> {
    shards: Box<[Padded<Cell<N>>]>,
}

/// What the threads of one shard have seen.
struct Cell<const N: usize> {
    buckets: [AtomicU32; N],
    /// The most calls in flight when one of these began.
    peak: AtomicU32,
    congested: AtomicU32,
}

/// What was collected: everything that was counted, once.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Collected<const N: usize> {
    pub(super) buckets: [u64; N],
    pub(super) peak: u32,
    pub(super) congested: u64,
}

impl<const N: usize> Samples<N> {
    pub(super) fn new(shards: usize) -> Self {
        let shards = shards.clamp(1, 1024).next_power_of_two();
        Self { shards: (0..shards).map(|_| Padded(Cell::new())).collect() }
    }

    /// Counts a call by the bucket of its latency.
    #[inline]
    pub(super) fn count(&self, shard: usize, bucket: usize, in_flight: u32) {
        let cell = self.cell(shard);
        cell.buckets[bucket.min(N - 1)].fetch_add(1, Relaxed);
        cell.rise(in_flight);
    }

    /// Counts a call that met congestion.
    pub(super) fn count_congested(&self, shard: usize, in_flight: u32) {
        let cell = self.cell(shard);
        cell.congested.fetch_add(1, Relaxed);
        cell.rise(in_flight);
    }

    #[inline]
    fn cell(&self, shard: usize) -> &Cell<N> {
        // A power of two of shards: the mask never leaves the slice.
        &self.shards[shard & (self.shards.len() - 1)]
    }

    /// Takes everything out and adds it to `into`. What is counted meanwhile is taken now or the next time, and never
    /// twice.
    pub(super) fn collect(&self, into: &mut Collected<N>) {
        for cell in &self.shards {
            for (bucket, sum) in cell.buckets.iter().zip(&mut into.buckets) {
                *sum += u64::from(take(bucket));
            }
            into.peak = into.peak.max(take(&cell.peak));
            into.congested += u64::from(take(&cell.congested));
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.shards)
    }
}

impl<const N: usize> Cell<N> {
    fn new() -> Self {
        let [peak, congested] = [0, 0].map(AtomicU32::new);
        Self { buckets: std::array::from_fn(|_| AtomicU32::new(0)), peak, congested }
    }

    #[inline]
    fn rise(&self, in_flight: u32) {
        // Nearly always it is not higher, and then nothing is written.
        if self.peak.load(Relaxed) < in_flight {
            self.peak.fetch_max(in_flight, Relaxed);
        }
    }
}

/// Most are empty, and a look costs less than a swap.
fn take(count: &AtomicU32) -> u32 {
    if count.load(Relaxed) == 0 { 0 } else { count.swap(0, Relaxed) }
}

impl<const N: usize> Default for Collected<N> {
    fn default() -> Self {
        Self { buckets: [0; N], peak: 0, congested: 0 }
    }
}

impl<const N: usize> Collected<N> {
    /// Calls whose latency is known.
    pub(super) fn measured(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// All calls.
    pub(super) fn calls(&self) -> u64 {
        self.measured() + self.congested
    }
}
