//! What a breaker remembers of the calls since it closed.

use std::{sync::Arc, time::Duration};

use super::{
    Config, Settings, TimeRule,
    cells::{Cell, Counters},
    state::Epoch,
    status::{Recent, WindowStatus},
    trip::{Mark, Plain},
};
use crate::{
    FailureKind, Time,
    window::{CountWindow, Counts, TimeWindow},
};

/// What a breaker remembers of the present epoch, and the rules that it is judged by.
pub(crate) struct Log {
    pub(super) config: Arc<Config>,
    pub(super) version: u64,
    pub(super) failures: CountWindow,
    pub(super) slow: Option<Box<CountWindow>>,
    pub(super) recent: Option<Box<TimeWindow>>,
    /// Failures of this epoch, and of all.
    pub(super) count: u64,
    pub(super) total: u64,
    /// Successes of this epoch that were moved from the shards to buckets.
    pub(super) moved: u64,
    /// Failures in a row, and how many successes there were before them.
    pub(super) run: u64,
    pub(super) run_after: u64,
    /// Until when the dependency asked to be left alone.
    pub(super) advised: Time,
    pub(super) last_failure: Option<FailureKind>,
    /// All failures by kind.
    pub(super) by_kind: [u64; FailureKind::ALL.len()],
    pub(super) plain: Plain,
}

impl Log {
    pub(crate) fn new(settings: &Settings) -> Self {
        let (version, config) = settings.versioned();
        let mut failures = CountWindow::new(config.window);
        failures.count_kinds(!config.kind_limits.is_empty());
        Self {
            slow: config.slow_calls.map(|_| Box::new(CountWindow::new(config.window))),
            recent: config.time_window.map(|rule| new_recent(rule, &config)),
            failures,
            version,
            plain: Plain::new(&config),
            config,
            count: 0,
            total: 0,
            moved: 0,
            run: 0,
            run_after: 0,
            advised: Time::ORIGIN,
            last_failure: None,
            by_kind: [0; FailureKind::ALL.len()],
        }
    }

    #[inline]
    pub(crate) fn is_current(&self, settings: &Settings) -> bool {
        self.version == settings.version()
    }

    /// Takes over what the settings are by now. Windows keep what fits into their new shape.
    pub(crate) fn refresh(&mut self, settings: &Settings, counters: &Counters, epoch: Epoch, now: Time) {
        let total = self.successes(counters, epoch) + self.count;
        let (version, config) = settings.versioned();
        self.failures.resize(config.window, total);
        self.failures.count_kinds(!config.kind_limits.is_empty());
        match (&mut self.slow, config.slow_calls) {
            (Some(slow), Some(_)) => slow.resize(config.window, total),
            // Which of the calls before were slow, nobody knows.
            (slow, rule) => *slow = rule.map(|_| Box::new(CountWindow::new(config.window))),
        }
        match (&mut self.recent, config.time_window) {
            (Some(recent), Some(rule)) => {
                recent.resize(rule.span, rule.buckets, now);
                recent.count_kinds(!config.kind_limits.is_empty());
            }
            (recent, rule) => *recent = rule.map(|rule| new_recent(rule, &config)),
        }
        self.plain = Plain::new(&config);
        (self.version, self.config) = (version, config);
    }

    /// When the bucket of time ends that it is in now, if its rules look at the last seconds.
    pub(crate) fn end_of(&self, now: Time) -> Option<Time> {
        self.recent.as_ref().map(|recent| recent.end_of(now))
    }

    /// All failures that it was told of.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Successes of the epoch.
    #[inline]
    pub(super) fn successes(&self, counters: &Counters, epoch: Epoch) -> u64 {
        self.moved + counters.successes_of(epoch)
    }

    /// Puts the successes of a shard whose bucket has ended into it, and begins the next.
    pub(crate) fn roll(&mut self, cell: &Cell, epoch: Epoch, now: Time) {
        let Some(recent) = &mut self.recent else { return };
        let Some(ended) = cell.ended(now.as_nanos()) else { return };
        let taken = cell.roll(epoch, recent.end_of(now).as_nanos());
        recent.advance(now);
        recent.add_successes(Time::from_nanos(ended), taken);
        self.moved += taken;
    }

    /// Takes the successes of all shards out, into the buckets that they belong to. Those that are in none
    /// will then not be taken for successes of a bucket that begins now.
    pub(crate) fn gather(&mut self, counters: &Counters, epoch: Epoch) {
        for (end, cell) in counters.buckets() {
            let taken = cell.roll(epoch, 0);
            if let (Some(recent), Some(end)) = (&mut self.recent, end) {
                recent.add_successes(end, taken);
            }
            self.moved += taken;
        }
    }

    /// Remembers until when the dependency wants to be left alone.
    pub(crate) fn advise(&mut self, until: Time) {
        self.advised = self.advised.max(until);
    }

    /// For how long from `now` the dependency wants to be left alone.
    pub(crate) fn advised(&self, now: Time) -> Duration {
        self.advised.since(now)
    }

    /// Returns how many calls there are with it.
    pub(super) fn add(&mut self, mark: Mark, successes: u64) -> u64 {
        // A failure comes after all others; a slow success has been counted among them.
        let position = (successes + self.count).saturating_sub(u64::from(mark.failure.is_none()));
        if let Some(kind) = mark.failure {
            self.failures.mark(position, kind as u8);
            self.count += 1;
            self.total += 1;
            self.run = if successes == self.run_after { self.run + 1 } else { 1 };
            self.run_after = successes;
            self.last_failure = Some(kind);
            self.by_kind[kind.index()] += 1;
        }
        if let (true, Some(slow)) = (mark.slow, &mut self.slow) {
            slow.mark(position, 0);
        }
        successes + self.count
    }

    pub(super) fn add_recent(&mut self, mark: Mark, now: Time) {
        let Some(recent) = &mut self.recent else { return };
        match mark.failure {
            Some(kind) => recent.failure(now, kind as u8, mark.slow),
            None => {
                recent.advance(now);
                recent.slow_success(now);
            }
        }
    }

    /// Failures since the last of so many successes.
    pub(super) fn in_a_row(&self, successes: u64) -> u64 {
        if self.run_after == successes { self.run } else { 0 }
    }

    /// The last calls.
    pub(super) fn window(&self, total: u64) -> WindowStatus {
        WindowStatus {
            calls: self.failures.calls(total),
            failures: self.failures.peek(total),
            slow: self.slow.as_ref().map_or(0, |slow| slow.peek(total)),
        }
    }

    /// The last seconds, as of the last time that anything was put into a bucket.
    pub(super) fn recent(&self, counters: &Counters, epoch: Epoch) -> Option<WindowStatus> {
        let recent = self.recent.as_ref()?;
        let Counts { mut successes, failures, slow } = recent.sum();
        for (end, cell) in counters.buckets() {
            if end.is_some_and(|end| recent.holds(end)) {
                successes += cell.successes_of(epoch);
            }
        }
        let narrow = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        Some(WindowStatus {
            calls: narrow(successes + failures),
            failures: narrow(failures),
            slow: narrow(slow),
        })
    }

    /// What there is to see.
    pub(crate) fn look(&mut self, counters: &Counters, epoch: Epoch, now: Time) -> Recent {
        let successes = self.successes(counters, epoch);
        if let Some(recent) = &mut self.recent {
            recent.advance(now);
        }
        Recent {
            calls: self.window(successes + self.count),
            recent: self.recent(counters, epoch),
            consecutive_failures: self.in_a_row(successes),
            last_failure: self.last_failure,
            by_kind: self.by_kind,
        }
    }

    /// Forgets the epoch.
    pub(crate) fn clear(&mut self) {
        self.failures.clear();
        if let Some(slow) = &mut self.slow {
            slow.clear();
        }
        if let Some(recent) = &mut self.recent {
            recent.clear();
        }
        (self.count, self.moved, self.run, self.run_after) = (0, 0, 0, 0);
        self.advised = Time::ORIGIN;
        self.last_failure = None;
    }

    /// All failures that it was told of, by kind.
    pub(crate) fn by_kind(&self) -> [u64; FailureKind::ALL.len()] {
        self.by_kind
    }

    /// The kind of the epoch's last failure.
    pub(crate) fn last_failure(&self) -> Option<FailureKind> {
        self.last_failure
    }
}

fn new_recent(rule: TimeRule, config: &Config) -> Box<TimeWindow> {
    let mut recent = TimeWindow::new(rule.span, rule.buckets);
    recent.count_kinds(!config.kind_limits.is_empty());
    Box::new(recent)
}
