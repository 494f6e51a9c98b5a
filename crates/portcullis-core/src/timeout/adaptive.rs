//! A limit that follows how long calls take.

use std::time::Duration;

use super::config::{LONGEST, SHORTEST};
use crate::{ConfigError, check_range};

/// Of a hundred calls, one may take longer.
pub const DEFAULT_QUANTILE: f64 = 0.99;
/// Twice of what nearly all take is not usual any more.
pub const DEFAULT_FACTOR: f64 = 2.0;
/// So much more than the error of a quantile that calls that were given up lift the limit, and not by small steps.
pub const MIN_FACTOR: f64 = 1.5;
/// What is shorter is noise of the scheduler.
pub const DEFAULT_AT_LEAST: Duration = Duration::from_millis(10);
/// As many as it takes for one to be beyond the default quantile.
pub const DEFAULT_MIN_CALLS: u32 = 100;

/// A limit that follows how long calls took lately: a quantile of that, times a factor. It is never longer than
/// the [limit](super::Config::limit) of the configuration, which holds until enough calls were seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adaptive {
    /// The share of the calls that took no longer than what is multiplied (default 0.99); 0.5 to 0.999.
    pub quantile: f64,
    /// How many times as long as those a call may take (default 2); 1.5 to 100.
    pub factor: f64,
    /// No limit is shorter (default 10 ms); 1 ms to the limit.
    pub at_least: Duration,
    /// The calls that must have been seen in the last minute or so (default 100); 1 to 1,000,000.
    pub min_calls: u32,
}

impl Default for Adaptive {
    fn default() -> Self {
        Self {
            quantile: DEFAULT_QUANTILE,
            factor: DEFAULT_FACTOR,
            at_least: DEFAULT_AT_LEAST,
            min_calls: DEFAULT_MIN_CALLS,
        }
    }
}

impl Adaptive {
    /// The limit, from the quantile that was seen if there is one, and the longest limit.
    pub fn limit(&self, seen: Option<Duration>, longest: Duration) -> Duration {
        let Some(seen) = seen else { return longest };
        // Saturates, and is no number for no input: the factor is one.
        let limit = Duration::try_from_secs_f64(seen.as_secs_f64() * self.factor).unwrap_or(LONGEST);
        // Not `clamp`, which panics where the bounds are crossed.
        limit.max(self.at_least).min(longest)
    }

    pub(super) fn check(&self, limit: Duration) -> Result<(), ConfigError> {
        check_range("timeout.adaptive.quantile", self.quantile, 0.5..=0.999)?;
        check_range("timeout.adaptive.factor", self.factor, MIN_FACTOR..=100.0)?;
        check_range("timeout.adaptive.at_least", self.at_least, SHORTEST..=limit)?;
        check_range("timeout.adaptive.min_calls", self.min_calls, 1..=1_000_000)
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Time, quantile::Quantiles};

    /// The error of a quantile, and a nanosecond's rounding.
    const ERROR: f64 = 0.033;
    const SECOND: Duration = Duration::from_secs(1);
    /// As long as a quantile remembers.
    const SPAN: Duration = Duration::from_secs(60);

    /// Calls in a span.
    const CALLS: u32 = 600;

    /// A policy, and a dependency whose calls take a time each, ten a second.
    struct World {
        rule: Adaptive,
        longest: Duration,
        /// Looked up every second.
        limit: Duration,
        calls: u32,
        seen: Quantiles,
        now: Time,
    }

    impl World {
        fn new(rule: Adaptive, longest: Duration) -> Self {
            let seen = Quantiles::new(SPAN, 1);
            Self { rule, longest, limit: longest, calls: 0, seen, now: Time::from_millis(1) }
        }

        fn limit(&self) -> Duration {
            let least = u64::from(self.rule.min_calls);
            self.rule.limit(self.seen.quantile(self.rule.quantile, least, self.now), self.longest)
        }

        /// Whether the call was in time. What was not is counted as long as it was waited for.
        fn call(&mut self, takes: Duration) -> bool {
            if self.calls % 10 == 0 {
                self.limit = self.limit();
            }
            let limit = self.limit;
            self.calls += 1;
            self.now = self.now + SECOND / 10;
            self.seen.record(0, takes.min(limit), self.now);
            takes <= limit
        }

        fn calls(&mut self, spans: u32, takes: Duration) {
            (0..spans * CALLS).for_each(|_| {
                self.call(takes);
            });
        }
    }

    fn rules() -> impl Strategy<Value = Adaptive> {
        (0.5f64..=0.999, MIN_FACTOR..=5.0, 1u64..50, 1u32..200).prop_map(
            |(quantile, factor, at_least, min_calls)| Adaptive {
                quantile,
                factor,
                at_least: Duration::from_millis(at_least),
                min_calls,
            },
        )
    }

    /// A step to the next limit takes a span at most, for a quantile that leaves out half of the calls.
    fn spans(rule: Adaptive, times: f64) -> u32 {
        2 + (times.ln() / (rule.factor * (1.0 - ERROR)).ln()).ceil() as u32
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// A steady dependency keeps a limit close to its time by the factor, for as long as it is steady.
        #[test]
        fn a_steady_dependency_keeps_its_limit(rule in rules(), micros in 100u64..2_000_000) {
            let takes = Duration::from_micros(micros);
            let mut world = World::new(rule, Duration::from_secs(5));
            let wanted = takes.mul_f64(rule.factor).max(rule.at_least).min(world.longest);
            for call in 1..1000 {
                // The longest limit is longer: nothing is late before it is known what is usual, nor after.
                prop_assert!(world.call(takes));
                if call >= rule.min_calls && call % 50 == 0 {
                    let limit = world.limit().as_secs_f64();
                    prop_assert!((limit / wanted.as_secs_f64() - 1.0).abs() < ERROR, "{limit}, not {wanted:?}");
                }
            }
        }

        /// A dependency that has become slower for good is followed, whatever the limit was, up to the longest.
        #[test]
        fn a_slower_dependency_is_followed(rule in rules(), micros in 1_000u64..100_000, slower in 1.5f64..50.0) {
            let before = Duration::from_micros(micros);
            let after = before.mul_f64(slower);
            let mut world = World::new(rule, Duration::from_secs(10));
            world.calls(1, before);
            // So that in the end nothing is left of what was before, and of the way.
            world.calls(spans(rule, slower) + 2, after);
            let wanted = after.mul_f64(rule.factor).max(rule.at_least).min(world.longest);
            let limit = world.limit();
            prop_assert!(limit.as_secs_f64() >= wanted.as_secs_f64() * (1.0 - ERROR), "{limit:?}, not {wanted:?}");
            prop_assert!((0..100).all(|_| world.call(after)), "{:?} is too short for {after:?}", world.limit());
            // And back again when it is fast: nothing stays of a bad hour.
            world.calls(2, before);
            let wanted = before.mul_f64(rule.factor).max(rule.at_least).as_secs_f64();
            prop_assert!(world.limit().as_secs_f64() <= wanted * (1.0 + ERROR));
        }

        /// One that never answers ends at the longest limit, and at no other.
        #[test]
        fn a_dependency_that_hangs_is_waited_for_as_long_as_allowed(rule in rules(), millis in 1u64..100) {
            let takes = Duration::from_millis(millis);
            let mut world = World::new(rule, SECOND);
            world.calls(1, takes);
            world.calls(spans(rule, 1000.0 / millis as f64) + 2, Duration::MAX);
            prop_assert_eq!(world.limit(), SECOND);
        }
    }

    proptest! {
        /// Whatever is seen, the limit is within its bounds.
        #[test]
        fn the_limit_keeps_its_bounds(rule in rules(), nanos in any::<u64>()) {
            let limit = rule.limit(Some(Duration::from_nanos(nanos)), SECOND);
            prop_assert!((rule.at_least..=SECOND).contains(&limit));
        }
    }

    /// By default, six calls a minute that are late lift the limit: more than one in a hundred.
    #[test]
    fn calls_that_were_late_lift_the_limit() {
        let mut world = World::new(Adaptive::default(), Duration::from_secs(10));
        world.calls(1, Duration::from_millis(10));
        let slow = Duration::from_millis(30);
        assert!(!world.call(slow));
        (0..30).for_each(|_| {
            world.call(slow);
        });
        assert!(world.call(slow), "{:?}", world.limit());
    }
}
