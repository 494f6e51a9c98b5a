//! The retry quota of the AWS SDKs' standard retry mode.

use crate::{
    FailureKind,
    sync::atomic::{
        AtomicU32, AtomicU64,
        Ordering::{AcqRel, Relaxed},
    },
};

/// A bucket, kept as what was taken out: a full one is nothing, whatever it holds, and one that is made
/// larger or smaller still knows what is out.
#[derive(Default)]
pub(super) struct Cost {
    taken: AtomicU64,
    capacity: AtomicU32,
    retry: AtomicU32,
    timeout: AtomicU32,
    /// What a first success adds.
    success: AtomicU32,
}

impl Cost {
    pub(super) fn set(&self, capacity: u32, retry: u32, timeout: u32, success: u32) {
        self.retry.store(retry, Relaxed);
        self.timeout.store(timeout, Relaxed);
        self.success.store(success, Relaxed);
        self.capacity.store(capacity, Relaxed);
    }

    /// Takes the cost of a retry after such a failure out, if it is there; says how much.
    pub(super) fn withdraw(&self, after: FailureKind) -> Option<u32> {
        let cost = match after {
            FailureKind::Timeout => &self.timeout,
            _ => &self.retry,
        };
        let cost = cost.load(Relaxed);
        let capacity = self.capacity.load(Relaxed).into();
        let take = |taken: u64| Some(taken.saturating_add(cost.into())).filter(|&all| all <= capacity);
        self.taken.fetch_update(AcqRel, Relaxed, take).ok().map(|_| cost)
    }

    pub(super) fn put_back(&self, amount: u32) {
        let refill = |taken: u64| (taken > 0).then(|| taken.saturating_sub(amount.into()));
        // A full bucket is only looked at.
        let _ = self.taken.fetch_update(AcqRel, Relaxed, refill);
    }

    pub(super) fn succeeded(&self) {
        self.put_back(self.success.load(Relaxed));
    }

    /// What was taken out.
    pub(super) fn taken(&self) -> u64 {
        self.taken.load(Relaxed)
    }

    /// So much was taken out, and no more than it holds.
    pub(super) fn set_taken(&self, taken: u64) {
        self.taken.store(taken.min(self.capacity.load(Relaxed).into()), Relaxed);
    }

    /// Retries after failures that were no timeouts.
    pub(super) fn available(&self) -> u64 {
        let left = u64::from(self.capacity.load(Relaxed)).saturating_sub(self.taken.load(Relaxed));
        left / u64::from(self.retry.load(Relaxed)).max(1)
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    /// The numbers of the AWS SDKs.
    #[test]
    fn a_hundred_retries_that_fail_or_fifty_after_timeouts() {
        for (kind, retries) in [(FailureKind::Unavailable, 100), (FailureKind::Timeout, 50)] {
            let cost = Cost::default();
            cost.set(500, 5, 10, 1);
            let granted = (0..1000).filter(|_| cost.withdraw(kind).is_some()).count();
            assert_eq!(granted, retries);
            (0..5).for_each(|_| cost.succeeded());
            assert_eq!(cost.available(), 1, "five calls that succeed pay for one");
        }
    }
}
