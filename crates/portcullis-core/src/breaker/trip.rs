//! When a failure, or a slow call, opens the breaker.
//!
//! Successes are only counted; each failure is remembered by its place among all calls. With it every rule
//! takes constant time: how many of the last N calls failed is how many remembered failures are less than N
//! calls old. This is exact for any history, and successes need not know of each other.
//!
//! Only a failure or a slow call can trip: a quick success never raises a share, and the call on which the
//! minimum number of calls is reached is judged like any other.

use super::{
    Cause, Seen,
    cells::Counters,
    evidence::Trip,
    log::{Log, Rules},
    state::Epoch,
};
use crate::{FailureKind, Time};

/// A call that is more than a success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// How it failed, if it did.
    pub(crate) failure: Option<FailureKind>,
    pub(crate) slow: bool,
}

/// What a mark led to.
pub(crate) enum Found {
    Nothing,
    /// A rule is met.
    Trip(Trip),
    /// The rule of the configuration's own must be asked, outside of the lock.
    Ask(Seen),
}

impl Log {
    /// Adds a call, which the caller knows to be one of the current epoch, and asks the rules. A slow
    /// success must be counted as a success before.
    pub(crate) fn mark(
        &mut self,
        mark: Mark,
        counters: &Counters,
        epoch: Epoch,
        now: impl Fn() -> Time,
    ) -> Found {
        let successes = self.successes(counters, epoch);
        let total = self.add(mark, successes);
        if self.is_timed() {
            self.add_recent(mark, now());
        }
        if let Some(trip) = self.met(mark, total, counters, epoch) {
            return Found::Trip(trip);
        }
        if self.rules == Rules::Timed {
            self.allow_timed(total, counters, epoch);
        }
        match self.config.rule {
            Some(_) => Found::Ask(self.seen(mark, total, counters, epoch)),
            None => Found::Nothing,
        }
    }

    /// Adds a failure after so many successes, if that meets no rule for certain, and lets those follow
    /// [ahead](Self::add_ahead) that do not meet one either. Otherwise nothing is added.
    pub(crate) fn add_harmless(&mut self, kind: FailureKind, successes: u64) -> bool {
        let position = successes + self.count;
        let failures = self.failures.count(position + 1) + 1;
        let harmless = self.harmless(self.failures.calls_up_to(position + 1));
        let run = self.run_with(position);
        if run >= self.row || failures > harmless {
            return false;
        }
        self.failures.mark_next(position, kind as u8);
        // With more calls it takes more failures.
        self.failures.allow(harmless);
        self.run = run;
        self.counted(kind);
        true
    }

    /// The same for a rule about the last seconds too: with this many calls in the windows, or with more.
    fn allow_timed(&mut self, total: u64, counters: &Counters, epoch: Epoch) {
        let (Some(rule), Some(recent)) = (self.config.time_window, self.recent(counters, epoch)) else {
            return;
        };
        let last = self.harmless(self.failures.calls(total));
        self.allow(last, harmless(rule.failure_ratio, recent.calls.max(rule.minimum_calls)));
    }

    /// How many failures in the window of the last calls do not meet the rule for their share, while it
    /// holds so many calls or more.
    fn harmless(&self, calls: u32) -> u32 {
        let minimum = self.config.minimum_calls;
        self.config.failure_ratio.map_or(u32::MAX, |ratio| harmless(ratio, calls.max(minimum)))
    }

    fn met(&mut self, mark: Mark, total: u64, counters: &Counters, epoch: Epoch) -> Option<Trip> {
        let failures = self.failures.count(total);
        if let Some(limit) = self.config.consecutive_failures {
            if mark.failure.is_some() && self.run >= limit {
                return Some(self.trip(Cause::ConsecutiveFailures, limit.into(), total));
            }
        }
        let calls = self.failures.calls(total);
        if let Some(ratio) = self.config.failure_ratio {
            if calls >= self.config.minimum_calls && f64::from(failures) / f64::from(calls) >= ratio {
                return Some(self.trip(Cause::FailureRatio, ratio, total));
            }
        }
        self.met_rarer(mark, total, counters, epoch)
    }

    /// The rules that are off by default.
    fn met_rarer(&mut self, mark: Mark, total: u64, counters: &Counters, epoch: Epoch) -> Option<Trip> {
        let recent = self.recent(counters, epoch);
        let window = recent.unwrap_or_else(|| self.window(total));
        let trip = |cause, limit| Trip { cause, limit, window };
        if let (Some(rule), Some(recent)) = (self.config.time_window, recent) {
            if recent.calls >= rule.minimum_calls && recent.failure_ratio() >= rule.failure_ratio {
                return Some(trip(Cause::RecentFailureRatio, rule.failure_ratio));
            }
        }
        let minimum = self.config.time_window.map_or(self.config.minimum_calls, |rule| rule.minimum_calls);
        if let Some(rule) = self.config.slow_calls {
            if window.calls >= minimum && window.slow_ratio() >= rule.ratio {
                return Some(trip(Cause::SlowRatio, rule.ratio));
            }
        }
        let kind = mark.failure?;
        let limit = *self.config.kind_limits.get(&kind)?;
        (self.of_kind(kind) >= u64::from(limit)).then(|| trip(Cause::KindLimit, limit.into()))
    }

    fn trip(&mut self, cause: Cause, limit: f64, total: u64) -> Trip {
        Trip { cause, limit, window: self.window(total) }
    }

    fn seen(&mut self, mark: Mark, total: u64, counters: &Counters, epoch: Epoch) -> Seen {
        Seen {
            calls: self.window(total),
            recent: self.recent(counters, epoch),
            consecutive_failures: self.in_a_row(total - self.count),
            failure: mark.failure,
        }
    }
}

/// How many failures are less than this share of so many calls, or of more; at most one less than the true
/// number.
fn harmless(ratio: f64, calls: u32) -> u32 {
    let calls = f64::from(calls);
    // `as` rounds down, and saturates.
    let failures = (ratio * calls) as u32;
    // As the rules have it, for a product is rounded too.
    if f64::from(failures) / calls < ratio { failures } else { failures.saturating_sub(1) }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_harmless_meets_no_rule(ratio in 0.0f64..=1.0, calls in 1u32..2_000_000, more: u16) {
            let failures = harmless(ratio, calls);
            let is_met = |failures: u32, calls: u32| f64::from(failures) / f64::from(calls) >= ratio;
            prop_assert!(failures == 0 || !is_met(failures, calls));
            prop_assert!(failures == 0 || !is_met(failures, calls + u32::from(more)));
            prop_assert!(is_met(failures + 2, calls), "{} is too few", failures);
        }

        /// Shares and numbers as they are written down, of which the product is a whole number.
        #[test]
        fn what_is_harmless_is_just_below_the_limit(percent in 1u32..=100, hundreds in 1u32..10_000) {
            let failures = harmless(f64::from(percent) / 100.0, hundreds * 100);
            prop_assert!((percent * hundreds - 1..=percent * hundreds).contains(&(failures + 1)), "{}", failures);
        }
    }
}
