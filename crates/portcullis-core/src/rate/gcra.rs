//! A bucket that fills steadily, as the one moment at which it will be full.

/// The generic cell rate algorithm. All times are nanoseconds; those of the clock may be warmed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gcra {
    /// In how long one permit comes.
    pub(super) interval: u64,
    /// In how long an empty bucket fills.
    pub(super) capacity: u64,
}

impl Gcra {
    pub(super) fn new(interval: u64, burst: u32) -> Self {
        Self { interval, capacity: interval.saturating_mul(u64::from(burst)) }
    }

    /// The time in which so many permits come.
    #[inline(always)]
    pub(super) fn time_of(self, cost: u32) -> u64 {
        self.interval.saturating_mul(u64::from(cost))
    }

    /// When the bucket is full once so many permits are taken as well, if they may be taken now.
    #[inline(always)]
    pub(super) fn take(self, full: u64, cost: u32, now: u64) -> Option<u64> {
        let after = full.max(now).saturating_add(self.time_of(cost));
        (after <= now.saturating_add(self.capacity)).then_some(after)
    }

    /// The first moment at which they may be taken; never, if they are more than the bucket holds.
    pub(super) fn due(self, full: u64, cost: u32, now: u64) -> Option<u64> {
        let time = self.time_of(cost);
        (time <= self.capacity).then(|| now.max(full.saturating_add(time).saturating_sub(self.capacity)))
    }

    /// Whole permits in the bucket.
    pub(super) fn available(self, full: u64, now: u64) -> u64 {
        self.capacity.saturating_sub(full.saturating_sub(now)) / self.interval.max(1)
    }
}
