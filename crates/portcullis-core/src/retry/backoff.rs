//! The wait before the next attempt.

use std::time::Duration;

use crate::{ConfigError, check_range, time::nanos};

/// Short enough that one lost packet costs little, long enough to let a queue drain.
pub const DEFAULT_BASE: Duration = Duration::from_millis(50);
/// Doubling halves the load of each further round of retries.
pub const DEFAULT_FACTOR: f64 = 2.0;
/// Past this a caller has given up; the longest wait of common cloud clients.
pub const DEFAULT_CAP: Duration = Duration::from_secs(20);

const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// How a wait is randomised, always after it was capped, and downwards: randomised before the cap, most
/// clients would meet again exactly at the cap.
///
/// Source of full jitter: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Jitter {
    /// Anything from nothing to the whole wait.
    #[default]
    Full,
    /// No randomness: for tests, and for callers who cannot meet.
    None,
}

/// Exponential backoff: `base * factor^(n-1)`, at most `cap`, then jitter.
#[derive(Clone, Debug, PartialEq)]
pub struct Backoff {
    /// The longest wait before the first retry (default 50 ms); 0 to 24 h.
    pub base: Duration,
    /// What each further wait is multiplied by (default 2); 1 to 10.
    pub factor: f64,
    /// No wait is longer (default 20 s); 0 to 24 h.
    pub cap: Duration,
    /// How waits are spread (default full).
    pub jitter: Jitter,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: DEFAULT_BASE, factor: DEFAULT_FACTOR, cap: DEFAULT_CAP, jitter: Jitter::Full }
    }
}

impl Backoff {
    /// No wait at all.
    pub const NONE: Self =
        Self { base: Duration::ZERO, factor: 1.0, cap: Duration::ZERO, jitter: Jitter::None };

    /// Checks every field.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        check_range("retry.backoff.base", self.base, Duration::ZERO..=LONGEST)?;
        check_range("retry.backoff.factor", self.factor, 1.0..=10.0)?;
        check_range("retry.backoff.cap", self.cap, Duration::ZERO..=LONGEST)
    }

    /// The wait before retry number `retry` (the first is 1), spread by `random`, any 64 bits.
    pub fn delay(&self, retry: u32, random: u64) -> Duration {
        let longest = self.longest(retry);
        match self.jitter {
            Jitter::None => Duration::from_nanos(longest),
            // A share of `longest + 1` values, so that both ends can be reached.
            Jitter::Full => {
                let share = (u128::from(random) * (u128::from(longest) + 1)) >> 64;
                Duration::from_nanos(share as u64)
            }
        }
    }

    /// The wait before jitter, in nanoseconds.
    fn longest(&self, retry: u32) -> u64 {
        let cap = nanos(self.cap);
        let exponent = i32::try_from(retry.saturating_sub(1)).unwrap_or(i32::MAX);
        let wait = nanos(self.base) as f64 * self.factor.powi(exponent);
        // `as` saturates, and takes NaN (nothing times infinity) for nothing.
        (wait as u64).min(cap)
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain() -> Backoff {
        Backoff { jitter: Jitter::None, ..Backoff::default() }
    }

    #[test]
    fn doubles_up_to_the_cap() {
        let waits: Vec<_> = (1..=11).map(|n| plain().delay(n, 0).as_millis()).collect();
        assert_eq!(waits, [50, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 20_000, 20_000]);
    }

    /// T23: jitter that is lost at the cap brings all clients back together.
    #[test]
    fn t23_waits_at_the_cap_are_spread_below_it() {
        let backoff = Backoff::default();
        let mut rng = 1u64;
        let mut draw = || {
            rng = rng.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            rng
        };
        let waits: Vec<_> = (0..20_000).map(|_| backoff.delay(30, draw())).collect();
        let at_cap = waits.iter().filter(|&&wait| wait == DEFAULT_CAP).count();
        let mean = waits.iter().sum::<Duration>() / 20_000;
        assert!(at_cap < 200, "{at_cap} of 20,000 at the cap");
        assert!((9_800..10_200).contains(&mean.as_millis()), "mean {mean:?}");
    }

    proptest! {
        #[test]
        fn never_above_the_cap_and_never_a_panic(
            base in 0u64..86_400_000, factor in 1.0f64..10.0, cap in 0u64..86_400_000,
            retry in any::<u32>(), random in any::<u64>(),
        ) {
            let (base, cap) = (Duration::from_millis(base), Duration::from_millis(cap));
            let backoff = Backoff { base, factor, cap, jitter: Jitter::Full };
            prop_assert!(backoff.check().is_ok());
            prop_assert!(backoff.delay(retry, random) <= cap);
            prop_assert!(backoff.delay(1, random) <= base);
        }
    }
}
