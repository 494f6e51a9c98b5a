//! Which bucket a duration is counted in.
//!
//! A duration in nanoseconds is a power of two and what is above it; the power and the next four bits below
//! make the number of the bucket.

use std::time::Duration;

use crate::time::nanos;

/// Buckets between one power of two and the next: 16, so that one is at most a sixteenth of its value wide.
const FINE_BITS: u32 = 4;
/// The shortest duration that is told from shorter ones: 1024 ns.
const LOWEST_POWER: u32 = 10;
/// The first power that no bucket is for: 73 minutes.
const HIGHEST_POWER: u32 = 42;

/// How many there are.
pub(crate) const BUCKETS: usize = ((HIGHEST_POWER - LOWEST_POWER) << FINE_BITS) as usize;

/// The bucket of a duration.
#[inline]
pub(crate) fn of(duration: Duration) -> usize {
    of_nanos(nanos(duration))
}

/// The same for a time in nanoseconds.
#[inline]
pub(crate) fn of_nanos(nanos: u64) -> usize {
    let nanos = nanos.clamp(1 << LOWEST_POWER, (1 << HIGHEST_POWER) - 1);
    let power = nanos.ilog2();
    let fine = nanos >> (power - FINE_BITS); // 16 to 31
    (((power - LOWEST_POWER) << FINE_BITS) as usize) + fine as usize - (1 << FINE_BITS)
}

/// The duration in the middle of a bucket.
pub(crate) fn middle(bucket: usize) -> Duration {
    let power = (bucket >> FINE_BITS) as u32 + LOWEST_POWER;
    let fine = (bucket as u64 & ((1 << FINE_BITS) - 1)) + (1 << FINE_BITS);
    let width = 1 << (power - FINE_BITS);
    Duration::from_nanos(fine * width + width / 2)
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    #[test]
    fn every_bucket_has_its_middle_in_itself_and_is_a_sixteenth_wide() {
        for bucket in 0..BUCKETS {
            let middle = middle(bucket);
            assert_eq!(of(middle), bucket, "{middle:?}");
            assert_eq!(of(middle.mul_f64(1.0 + 1.0 / 15.0)).min(bucket + 1), (bucket + 1).min(BUCKETS - 1));
        }
    }

    #[test]
    fn the_ends_are_where_they_are_said_to_be() {
        assert_eq!(of(Duration::ZERO), 0);
        assert_eq!(of(Duration::from_micros(1)), 0);
        assert_eq!(of(Duration::MAX), BUCKETS - 1);
        assert!(of(Duration::from_secs(3600)) < BUCKETS - 1);
    }
}
