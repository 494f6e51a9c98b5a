//! When a failure, or a slow call, opens the breaker.
//!
//! Successes are only counted; each failure is remembered by its place among all calls. With it every rule
//! takes constant time: how many of the last N calls failed is how many remembered failures are less than N
//! calls old. This is exact for any history, and successes need not know of each other.
//!
//! Only a failure or a slow call can trip: a quick success never raises a share, and the call on which the
//! minimum number of calls is reached is judged like any other.

use super::{Cause, Config, Seen, cells::Counters, evidence::Trip, log::Log, state::Epoch};
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

/// The rules that are asked about every failure, without a detour.
pub(super) struct Plain {
    /// Whether there are no others.
    alone: bool,
    consecutive: u64,
    ratio: f64,
    minimum_calls: u32,
}

impl Plain {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            alone: config.time_window.is_none()
                && config.slow_calls.is_none()
                && config.kind_limits.is_empty()
                && config.rule.is_none(),
            // What is off is never met.
            consecutive: config.consecutive_failures.map_or(u64::MAX, u64::from),
            ratio: config.failure_ratio.unwrap_or(f64::INFINITY),
            minimum_calls: config.minimum_calls,
        }
    }
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
        if self.recent.is_some() {
            self.add_recent(mark, now());
        }
        if let Some(trip) = self.met(mark, total, counters, epoch) {
            return Found::Trip(trip);
        }
        match self.config.rule {
            Some(_) => Found::Ask(self.seen(mark, total, counters, epoch)),
            None => Found::Nothing,
        }
    }

    /// Adds a failure, if that meets no rule for certain: the short way. Otherwise nothing is added.
    #[inline(always)]
    pub(crate) fn add_plain(&mut self, kind: FailureKind, counters: &Counters, epoch: Epoch) -> bool {
        if !self.plain.alone {
            return false;
        }
        let successes = self.successes(counters, epoch);
        let run = if successes == self.run_after { self.run + 1 } else { 1 };
        let position = successes + self.count;
        let failures = self.failures.held() + 1; // at most
        let calls = self.failures.calls(position + 1);
        let ratio_may_be_met =
            calls >= self.plain.minimum_calls && f64::from(failures) / f64::from(calls) >= self.plain.ratio;
        if run >= self.plain.consecutive || ratio_may_be_met {
            return false;
        }
        self.failures.mark(position, kind as u8);
        self.count += 1;
        self.total += 1;
        (self.run, self.run_after) = (run, successes);
        self.last_failure = Some(kind);
        self.by_kind[kind.index()] += 1;
        true
    }

    fn met(&mut self, mark: Mark, total: u64, counters: &Counters, epoch: Epoch) -> Option<Trip> {
        let failures = self.failures.count(total);
        if let Some(limit) = self.config.consecutive_failures {
            if mark.failure.is_some() && self.run >= u64::from(limit) {
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
        let count = match &self.recent {
            Some(recent) => recent.sum_of_kind(kind as u8),
            None => self.failures.count_of(kind as u8).into(),
        };
        (count >= u64::from(limit)).then(|| trip(Cause::KindLimit, limit.into()))
    }

    fn trip(&mut self, cause: Cause, limit: f64, total: u64) -> Trip {
        Trip { cause, limit, window: self.window(total) }
    }

    fn seen(&mut self, mark: Mark, total: u64, counters: &Counters, epoch: Epoch) -> Seen {
        Seen {
            calls: self.window(total),
            recent: self.recent(counters, epoch),
            consecutive_failures: u32::try_from(self.in_a_row(total - self.count)).unwrap_or(u32::MAX),
            failure: mark.failure,
        }
    }
}
