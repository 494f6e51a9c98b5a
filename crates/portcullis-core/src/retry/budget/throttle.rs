//! The throttle of gRPC's retries: gRFC A6, "Throttling Retry Attempts and Hedged RPCs".

use crate::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed},
};

/// A token in thousandths, as gRPC keeps them.
const TOKEN: u64 = 1000;
/// What multiplying a decimal fraction by a thousand can lose.
const ROUNDING: f64 = 1e-6;

/// A bucket of tokens, kept as what is missing: a full one is nothing, whatever it holds.
#[derive(Default)]
pub(super) struct Throttle {
    /// How much it holds, and what is missing: one word, so that no failure falls between a change of the two.
    bucket: AtomicU64,
    /// What a success adds.
    income: AtomicU64,
}

/// In thousandths of tokens; each at most a million.
#[derive(Clone, Copy)]
struct Bucket {
    max: u64,
    missing: u64,
}

impl Bucket {
    const HALF: u32 = u64::BITS / 2;

    fn unpack(word: u64) -> Self {
        Self { max: word >> Self::HALF, missing: word & u64::from(u32::MAX) }
    }

    fn pack(self) -> u64 {
        (self.max << Self::HALF) | self.missing
    }
}

impl Throttle {
    /// What is missing stays the same share of the bucket, as gRPC has it.
    pub(super) fn set(&self, max_tokens: u32, token_ratio: f64) {
        self.income.store((token_ratio * TOKEN as f64 + ROUNDING) as u64, Relaxed);
        let max = u64::from(max_tokens) * TOKEN;
        // Rounded up, so that what had stopped does not begin again by rounding. A new one lacks nothing.
        let scale = |Bucket { max: before, missing }| (missing * max).div_ceil(u64::max(before, 1));
        self.update(|bucket| Some(Bucket { max, missing: scale(bucket) }));
    }

    pub(super) fn succeeded(&self) {
        let income = self.income.load(Relaxed);
        // A full bucket is only looked at.
        self.update(|Bucket { max, missing }| {
            (missing > 0).then(|| Bucket { max, missing: missing.saturating_sub(income) })
        });
    }

    pub(super) fn failed(&self) {
        self.update(|Bucket { max, missing }| {
            (missing < max).then(|| Bucket { max, missing: (missing + TOKEN).min(max) })
        });
    }

    fn update(&self, change: impl Fn(Bucket) -> Option<Bucket>) {
        let change = |word| change(Bucket::unpack(word)).map(Bucket::pack);
        let _ = self.bucket.fetch_update(AcqRel, Acquire, change);
    }

    /// What is missing, as a share of the bucket.
    pub(super) fn missing(&self) -> f64 {
        let Bucket { max, missing } = Bucket::unpack(self.bucket.load(Acquire));
        missing as f64 / max.max(1) as f64
    }

    /// That share of it is missing.
    pub(super) fn set_missing(&self, share: f64) {
        self.update(|Bucket { max, .. }| {
            // `as` saturates, and makes 0 of what is no number.
            let missing = (share.clamp(0.0, 1.0) * max as f64).round() as u64;
            Some(Bucket { max, missing: missing.min(max) })
        });
    }

    /// Failures from here to half of the tokens, at and below which there are no retries.
    pub(super) fn available(&self) -> u64 {
        let Bucket { max, missing } = Bucket::unpack(self.bucket.load(Acquire));
        max.saturating_sub(2 * missing).div_ceil(2 * TOKEN)
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    fn throttle(max_tokens: u32, token_ratio: f64) -> Throttle {
        let throttle = Throttle::default();
        throttle.set(max_tokens, token_ratio);
        throttle
    }

    fn missing(throttle: &Throttle) -> u64 {
        Bucket::unpack(throttle.bucket.load(Relaxed)).missing
    }

    /// The numbers of gRFC A6's example.
    #[test]
    fn stops_at_half_and_begins_again_above_it() {
        let throttle = throttle(10, 0.1);
        let left: Vec<_> = (0..6).map(|_| (throttle.available(), throttle.failed()).0).collect();
        assert_eq!(left, [5, 4, 3, 2, 1, 0]);
        (0..10).for_each(|_| throttle.succeeded());
        assert_eq!(throttle.available(), 0, "five of ten tokens are half");
        throttle.succeeded();
        assert_eq!(throttle.available(), 1);
    }

    #[test]
    fn three_decimals_count_exactly() {
        for thousandths in 1..=1_000_000u32 {
            let throttle = throttle(1, f64::from(thousandths) / 1000.0);
            assert_eq!(throttle.income.load(Relaxed), thousandths.into());
        }
        assert_eq!(throttle(1, 0.1239).income.load(Relaxed), 123);
    }

    #[test]
    fn another_size_keeps_how_full_it_is() {
        let throttle = throttle(10, 0.999);
        (0..4).for_each(|_| throttle.failed());
        throttle.set(1000, 0.999);
        assert_eq!(missing(&throttle), 400_000);
        throttle.set(1, 0.999);
        assert_eq!(missing(&throttle), 400);
    }

    #[test]
    fn no_change_forgets_the_last_thousandth() {
        let throttle = throttle(2, 0.999);
        throttle.failed();
        throttle.succeeded();
        assert_eq!(missing(&throttle), 1);
        throttle.set(1, 0.999);
        assert_eq!(missing(&throttle), 1);
    }
}
