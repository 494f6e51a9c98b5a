//! How waits are spread at random.

use crate::{ConfigError, check_range};

/// How a wait is randomised, always after it was capped, and never above the cap.
///
/// Clients that failed together come back together unless chance spreads them. Many libraries randomise
/// first and cap then: after a few retries most of their clients wait for exactly the cap. Here the
/// interval is cut at the cap, and the wait drawn from what is left of it.
///
/// Below, `w` is the wait by the curve, already capped.
///
/// Source of full, equal and decorrelated jitter: Marc Brooker, "Exponential Backoff And Jitter", AWS
/// Architecture Blog, 2015. Uniform jitter is gRPC's (gRFC A6, which takes 0.2).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Jitter {
    /// Anything from nothing to `w`: the widest, which takes the least work of all in Brooker's
    /// simulations.
    #[default]
    Full,
    /// Half of `w`, and anything up to the other half: never next to nothing.
    Equal,
    /// `w` more or less this share of it (0 to 1), where that is not above the cap.
    Uniform(f64),
    /// By the exponential distribution of mean `w`, as far as the cap: clients arrive like independent ones
    /// (a Poisson process). At the cap, which is then the mean, the wait is 0.42 of it on the average.
    Exponential,
    /// Anything from the base to three times the wait before, as far as the cap. The curve and the factor
    /// have no part in it.
    Decorrelated,
    /// No randomness: for tests, and for callers who cannot meet.
    None,
}

impl Jitter {
    pub(super) fn check(self) -> Result<(), ConfigError> {
        match self {
            Self::Uniform(share) => check_range("retry.backoff.jitter", share, 0.0..=1.0),
            _ => Ok(()),
        }
    }

    /// Spreads `wait`, which is at most `cap`; in nanoseconds, and for all but decorrelated jitter.
    pub(super) fn spread(self, wait: u64, cap: u64, random: u64) -> u64 {
        match self {
            Self::Full => between(0, wait, random),
            Self::Equal => between(wait - wait / 2, wait, random),
            Self::Uniform(share) => {
                // A share outside its range saturates, one that is no number is nothing.
                let reach = (wait as f64 * share) as u64;
                between(wait.saturating_sub(reach), wait.saturating_add(reach).min(cap), random)
            }
            Self::Exponential => exponential(wait, cap, random),
            Self::Decorrelated | Self::None => wait,
        }
    }
}

/// Any of the numbers from `low` to `high`, both of which can be reached.
pub(super) fn between(low: u64, high: u64, random: u64) -> u64 {
    let values = u128::from(high.saturating_sub(low)) + 1;
    low + ((u128::from(random) * values) >> 64) as u64
}

/// By the inverse of the distribution that is cut at the cap: what lay above it is spread over all below it,
/// not heaped up there.
fn exponential(mean: u64, cap: u64, random: u64) -> u64 {
    if mean == 0 {
        return 0;
    }
    let mean = mean as f64;
    let below_cap = -(-(cap as f64) / mean).exp_m1();
    let wait = -mean * (-share(random) * below_cap).ln_1p();
    (wait as u64).min(cap)
}

/// From 0 to just below 1, in as many steps as a float has there.
fn share(random: u64) -> f64 {
    const STEPS: f64 = (1u64 << f64::MANTISSA_DIGITS) as f64;
    (random >> (u64::BITS - f64::MANTISSA_DIGITS)) as f64 / STEPS
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    #[test]
    fn both_ends_can_be_reached() {
        assert_eq!((between(3, 9, 0), between(3, 9, u64::MAX)), (3, 9));
        assert_eq!((between(0, u64::MAX, 0), between(0, u64::MAX, u64::MAX)), (0, u64::MAX));
        assert_eq!(between(9, 3, u64::MAX), 9, "an interval that is none");
    }

    #[test]
    fn the_ends_of_each_kind() {
        let ends = |jitter: Jitter| [0, u64::MAX].map(|random| jitter.spread(1000, 1100, random));
        assert_eq!(ends(Jitter::Full), [0, 1000]);
        assert_eq!(ends(Jitter::Equal), [500, 1000]);
        assert_eq!(ends(Jitter::Uniform(0.05)), [950, 1050]);
        assert_eq!(ends(Jitter::Uniform(0.2)), [800, 1100], "the interval is cut at the cap");
        assert_eq!(ends(Jitter::Exponential), [0, 1099]);
        assert_eq!(ends(Jitter::None), [1000, 1000]);
    }

    #[test]
    fn a_share_outside_its_range_is_refused_and_does_no_harm() {
        for share in [-0.1, 1.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let error = Jitter::Uniform(share).check().unwrap_err();
            assert_eq!(error.field(), "retry.backoff.jitter");
            assert!(Jitter::Uniform(share).spread(1000, 1100, u64::MAX) <= 1100);
        }
    }
}
