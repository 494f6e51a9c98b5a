//! Which calls a rule sees, and whether it is met.

use std::time::Duration;

use super::{Live, Model, Scene, State, Why, is_timed};
use crate::{
    Failure, FailureKind, Time,
    breaker::{Cause, Config, Env, Seen, TimeRule, WindowStatus, evidence::Trip},
};

/// A call that ended and counts in a window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    epoch: u64,
    failure: Option<FailureKind>,
    /// Whether it was slow, while there was a rule for that.
    slow: bool,
    /// When it ended, and whether it was slow, as far as the time window knows of it.
    at: Option<(Time, bool)>,
    /// Whether it is known to the time window of what kind it was.
    kind_known: bool,
    /// Until when the dependency asked to be left alone, with it or with any call.
    advice: Option<Time>,
    /// Whether it is a call of a window, and not only advice.
    counts: bool,
}

impl Model {
    pub(super) fn succeeded(&mut self, slow: bool, scene: Scene<'_>) {
        let now = if slow { scene.world.now() } else { scene.world.coarse() };
        let shard = scene.shard & (self.until.len() - 1);
        let rolls = self.until[shard].is_some_and(|until| now >= until);
        if slow || rolls {
            self.remember(scene);
        }
        if let Some(until) = &mut self.until[shard]
            && now >= *until
            && let Some(rule) = self.memory.as_ref().and_then(|memory| memory.config.time_window)
        {
            *until = end_of(rule, now);
        }
        // It counts in the bucket that its shard is in, whatever a clock says that lags.
        let at = self.until[shard].map(|until| Time::from_nanos(until.as_nanos() - 1));
        let call = self.ended(None, at.map(|at| (at, slow)), slow);
        self.ended.push(call);
        if slow {
            self.judge(None, scene);
        }
    }

    pub(super) fn failed(&mut self, failure: &Failure, slow: bool, scene: Scene<'_>) {
        let config = self.remember(scene);
        let now = scene.world.now();
        let call = self.ended(Some(failure.kind), config.time_window.map(|_| (now, slow)), slow);
        let advice = failure.retry_after.map(|after| now + after);
        self.ended.push(Ended { advice, ..call });
        self.last_failure = Some(failure.kind);
        self.judge(Some(failure.kind), scene);
    }

    fn ended(&self, failure: Option<FailureKind>, at: Option<(Time, bool)>, slow: bool) -> Ended {
        let config = self.memory.as_ref().map(|memory| &memory.config);
        let slow = slow && config.is_some_and(|config| config.slow_calls.is_some());
        let kind_known = config.is_some_and(|config| !config.kind_limits.is_empty());
        Ended { epoch: self.epoch, failure, slow, at, kind_known, advice: None, counts: true }
    }

    /// Keeps a probe's advice.
    pub(super) fn advise(&mut self, failure: &Failure, for_later: bool, scene: Scene<'_>) {
        let Some(after) = failure.retry_after else { return };
        if for_later {
            self.remember(scene);
        }
        let call = self.ended(None, None, false);
        self.ended.push(Ended { advice: Some(scene.world.now() + after), counts: false, ..call });
    }

    /// For how long the dependency wants to be left alone.
    pub(super) fn advised(&self, now: Time) -> Duration {
        let calls = self.ended.iter().filter(|call| call.epoch == self.epoch);
        calls.filter_map(|call| call.advice).max().map_or(Duration::ZERO, |until| until.since(now))
    }

    fn judge(&mut self, failure: Option<FailureKind>, scene: Scene<'_>) {
        if self.state == State::MetricsOnly {
            return;
        }
        let now = scene.world.now();
        let config = &scene.live.config;
        let custom = || {
            let seen = self.seen(config, failure, now);
            let rule = config.rule.as_ref().filter(|rule| rule.is_met(&seen));
            rule.map(|_| Trip { cause: Cause::Custom, limit: 0.0, window: seen.calls })
        };
        if let Some(trip) = self.met(config, failure, now).or_else(custom) {
            self.open(Why::Rule(trip), now, scene);
        }
    }

    fn seen(&self, config: &Config, failure: Option<FailureKind>, now: Time) -> Seen {
        Seen {
            calls: self.last_calls(config),
            recent: config.time_window.map(|rule| self.recent(rule, now)),
            consecutive_failures: self.in_a_row_failed(),
            failure,
        }
    }

    /// Of the rules, the first that is met.
    fn met(&self, config: &Config, failure: Option<FailureKind>, now: Time) -> Option<Trip> {
        let Seen { calls, recent, consecutive_failures, .. } = self.seen(config, failure, now);
        let trip = |cause, limit, window| Some(Trip { cause, limit, window });
        if let Some(limit) = config.consecutive_failures.filter(|&limit| consecutive_failures >= limit) {
            return trip(Cause::ConsecutiveFailures, limit.into(), calls);
        }
        if let Some(ratio) = config.failure_ratio.filter(|&ratio| calls.failure_ratio() >= ratio)
            && calls.calls >= config.minimum_calls
        {
            return trip(Cause::FailureRatio, ratio, calls);
        }
        let (window, minimum) = match (recent, config.time_window) {
            (Some(recent), Some(rule)) => (recent, rule.minimum_calls),
            _ => (calls, config.minimum_calls),
        };
        let enough = window.calls >= minimum;
        if let Some(rule) = config.time_window.filter(|rule| window.failure_ratio() >= rule.failure_ratio)
            && enough
        {
            return trip(Cause::RecentFailureRatio, rule.failure_ratio, window);
        }
        if let Some(rule) = config.slow_calls.filter(|rule| window.slow_ratio() >= rule.ratio)
            && enough
        {
            return trip(Cause::SlowRatio, rule.ratio, window);
        }
        let limit = *config.kind_limits.get(&failure?)?;
        let met = self.of_kind(config, failure, now) >= limit as usize;
        met.then_some(Trip { cause: Cause::KindLimit, limit: limit.into(), window })
    }

    /// Failures of a kind in the window that kinds are counted in.
    fn of_kind(&self, config: &Config, kind: Option<FailureKind>, now: Time) -> usize {
        let Some(rule) = config.time_window else {
            return self.last(config).filter(|call| call.failure == kind).count();
        };
        let known = self.calls().filter(|call| call.kind_known && call.failure == kind);
        known.filter(|call| call.at.is_some_and(|(at, _)| is_in(rule, at, now))).count()
    }

    /// The epoch's calls.
    fn calls(&self) -> impl DoubleEndedIterator<Item = &Ended> {
        self.ended.iter().filter(|call| call.epoch == self.epoch && call.counts)
    }

    /// The last so many of them, but of those that it did not forget.
    fn last(&self, config: &Config) -> impl Iterator<Item = &Ended> {
        let left_behind = self.calls().count().saturating_sub(config.window as usize);
        self.calls().skip(left_behind.max(self.forgotten))
    }

    pub(super) fn last_calls(&self, config: &Config) -> WindowStatus {
        let failures = self.last(config).filter(|call| call.failure.is_some()).count();
        let slow = self.last(config).filter(|call| call.slow).count();
        WindowStatus { calls: self.last(config).count() as u32, failures: failures as u32, slow: slow as u32 }
    }

    pub(super) fn recent(&self, rule: TimeRule, now: Time) -> WindowStatus {
        let mut seen = WindowStatus::default();
        for call in self.calls() {
            let Some((_, slow)) = call.at.filter(|&(at, _)| is_in(rule, at, now)) else { continue };
            seen.calls += 1;
            seen.failures += u32::from(call.failure.is_some());
            seen.slow += u32::from(slow);
        }
        seen
    }

    pub(super) fn in_a_row_failed(&self) -> u32 {
        self.calls().rev().take_while(|call| call.failure.is_some()).count() as u32
    }

    /// The rules that it goes by: those of now, if nothing that it remembers has to be turned over to them.
    pub(super) fn rules<'a>(&'a self, live: &'a Live) -> &'a Config {
        self.memory.as_ref().map_or(&live.config, |memory| &memory.config)
    }

    /// Begins to remember, or takes over what the settings are by now.
    pub(super) fn remember(&mut self, scene: Scene<'_>) -> Config {
        if self.memory.as_ref().is_none_or(|memory| memory.version != scene.live.version) {
            self.take_over(scene);
        }
        scene.live.config.clone()
    }

    /// Takes over the settings, remembering or not.
    pub(crate) fn refresh(&mut self, scene: Scene<'_>) {
        let config = &scene.live.config;
        if self.memory.is_some() {
            return self.take_over(scene);
        }
        self.until.fill(config.time_window.map(|_| Time::ORIGIN));
        self.timed = is_timed(config);
    }

    fn take_over(&mut self, Scene { live, world, .. }: Scene<'_>) {
        if let Some(before) = self.memory.replace(live.clone()) {
            self.turn_over(&before.config, &live.config, world.now());
        }
        self.until.fill(live.config.time_window.map(|rule| end_of(rule, world.now())));
        self.timed = is_timed(&live.config);
    }

    /// What other rules leave of what is remembered.
    fn turn_over(&mut self, old: &Config, new: &Config, now: Time) {
        let left_behind = self.calls().count().saturating_sub(old.window as usize);
        self.forgotten = self.forgotten.max(left_behind);
        for call in &mut self.ended {
            call.slow &= old.slow_calls.is_some() && new.slow_calls.is_some();
            call.kind_known &= !new.kind_limits.is_empty();
            call.at = match (old.time_window, new.time_window, call.at) {
                // What was in an old bucket is in the new one that the old one ends in.
                (Some(old), Some(_), Some((at, slow))) => {
                    let last = Time::from_nanos(end_of(old, at).as_nanos() - 1);
                    is_in(old, at, now).then_some((last.min(now), slow))
                }
                _ => None,
            };
        }
    }
}

/// Buckets are counted from the origin, and the last instant of all belongs to the last.
fn bucket(rule: TimeRule, at: Time) -> u64 {
    at.as_nanos().min(u64::MAX - 1) / width(rule)
}

fn width(rule: TimeRule) -> u64 {
    (rule.span.as_nanos() as u64).div_ceil(rule.buckets.into())
}

/// When the bucket of `at` ends.
pub(crate) fn end_of(rule: TimeRule, at: Time) -> Time {
    Time::from_nanos((bucket(rule, at) + 1).saturating_mul(width(rule)))
}

/// Whether the bucket of `at` is one of the last so many.
fn is_in(rule: TimeRule, at: Time, now: Time) -> bool {
    bucket(rule, at) + u64::from(rule.buckets) > bucket(rule, now)
}
