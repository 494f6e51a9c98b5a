//! What a breaker remembers of the calls since it closed.

mod add;
mod rare;
mod seed;

use std::{sync::Arc, time::Duration};

use self::rare::Rare;
use super::{
    Config, Settings,
    cells::{Cell, Counters},
    state::Epoch,
    status::{Kinds, Recent, WindowStatus},
};
use crate::{
    FailureKind, Time,
    window::{CountWindow, Counts, TimeWindow},
};

/// What a breaker remembers of the present epoch, and the rules that it is judged by.
///
/// Small, because many breakers have one: what few of them need is in [`Rare`].
pub(crate) struct Log {
    pub(super) config: Arc<Config>,
    version: u64,
    pub(super) failures: CountWindow,
    /// Failures of this epoch.
    pub(super) count: u64,
    /// How many successes of the epoch are in no shard, less the tag that a shard's count has: with it,
    /// what a shard holds is a number of successes.
    untagged: u64,
    rare: Option<Box<Rare>>,
    /// Failures in a row, and how many open.
    pub(super) run: u32,
    pub(super) row: u32,
    /// All failures by kind, and how many times each count came round.
    by_kind: [u16; FailureKind::ALL.len()],
    /// By which tag counts are told to be of this epoch; of none, before the first failure.
    pub(super) epoch: Epoch,
    last_failure: Option<FailureKind>,
    pub(super) rules: Rules,
}

/// Which rules there are, beside those for failures in a row and for their share of the last calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rules {
    /// No others.
    Plain,
    /// One for the share of failures in the last seconds.
    Timed,
    /// Any others.
    More,
}

impl Log {
    pub(crate) fn new(settings: &Settings) -> Self {
        let (version, config) = settings.versioned();
        let mut log = Self {
            failures: CountWindow::new(config.window),
            config,
            version,
            count: 0,
            untagged: 0,
            rare: None,
            run: 0,
            row: u32::MAX,
            by_kind: [0; FailureKind::ALL.len()],
            epoch: Epoch::NONE,
            last_failure: None,
            rules: Rules::More,
        };
        log.follow(Time::ORIGIN, 0);
        log
    }

    /// Gives its windows the shape that the configuration wants. They keep what fits.
    fn follow(&mut self, now: Time, total: u64) {
        let config = &*self.config;
        let by_kind = !config.kind_limits.is_empty();
        self.failures.resize(config.window, total);
        self.failures.count_kinds(by_kind);
        // What is off is never met.
        self.row = config.consecutive_failures.unwrap_or(u32::MAX);
        let timed = config.time_window.is_some();
        self.rules = match config.slow_calls.is_some() || by_kind || config.rule.is_some() {
            true => Rules::More,
            false if timed => Rules::Timed,
            false => Rules::Plain,
        };
        if timed || config.slow_calls.is_some() || self.rare.is_some() {
            self.rare.get_or_insert_default().follow(config, now, total);
        }
        self.is_of(self.epoch);
    }

    #[inline]
    pub(crate) fn is_current(&self, settings: &Settings) -> bool {
        self.version == settings.version()
    }

    /// Takes over what the settings are by now. Windows keep what fits into their new shape.
    pub(crate) fn refresh(&mut self, settings: &Settings, counters: &Counters, epoch: Epoch, now: Time) {
        let total = self.successes(counters, epoch) + self.count;
        (self.version, self.config) = settings.versioned();
        self.follow(now, total);
    }

    /// When the bucket of time ends that it is in now, if its rules look at the last seconds.
    pub(crate) fn end_of(&self, now: Time) -> Option<Time> {
        self.last_seconds().map(|recent| recent.end_of(now))
    }

    /// Whether its rules look at the last seconds.
    pub(super) fn is_timed(&self) -> bool {
        self.last_seconds().is_some()
    }

    fn last_seconds(&self) -> Option<&TimeWindow> {
        self.rare.as_ref()?.recent.as_deref()
    }

    fn last_seconds_mut(&mut self) -> Option<&mut TimeWindow> {
        self.rare.as_mut()?.recent.as_deref_mut()
    }

    /// All failures that it was told of.
    pub(crate) fn total(&self) -> u64 {
        self.by_kind().iter().sum()
    }

    /// Successes of the epoch.
    #[inline]
    pub(super) fn successes(&self, counters: &Counters, epoch: Epoch) -> u64 {
        self.moved() + counters.successes_of(epoch)
    }

    /// Successes of this epoch that were moved from the shards to buckets.
    #[inline]
    pub(super) fn moved(&self) -> u64 {
        self.untagged.wrapping_add(self.epoch.tag(0))
    }

    fn set_moved(&mut self, moved: u64) {
        self.untagged = moved.wrapping_sub(self.epoch.tag(0));
    }

    /// Says by which tag the shards' counts are of this epoch. With other rules than the plain ones it knows none: who
    /// finds the epoch here adds a failure to the last calls, and to nothing else.
    #[inline]
    pub(super) fn is_of(&mut self, epoch: Epoch) {
        let moved = self.moved();
        self.epoch = if self.rules == Rules::Plain { epoch } else { Epoch::NONE };
        self.set_moved(moved);
    }

    /// Puts the successes of a shard whose bucket has ended into it, and begins the next.
    pub(crate) fn roll(&mut self, cell: &Cell, epoch: Epoch, now: Time) {
        let Some(recent) = self.last_seconds_mut() else { return };
        let Some(ended) = cell.ended(now.as_nanos()) else { return };
        let taken = cell.roll(epoch, recent.end_of(now).as_nanos());
        recent.advance(now);
        recent.add_successes(Time::from_nanos(ended), taken);
        self.set_moved(self.moved() + taken);
    }

    /// Takes the successes of all shards out, into the buckets that they belong to. Those that are in none
    /// will then not be taken for successes of a bucket that begins now.
    pub(crate) fn gather(&mut self, counters: &Counters, epoch: Epoch) {
        let mut moved = self.moved();
        for (end, cell) in counters.buckets() {
            let taken = cell.roll(epoch, 0);
            if let (Some(recent), Some(end)) = (self.last_seconds_mut(), end) {
                recent.add_successes(end, taken);
            }
            moved += taken;
        }
        self.set_moved(moved);
    }

    /// Remembers until when the dependency wants to be left alone.
    pub(crate) fn advise(&mut self, until: Time) {
        let rare = self.rare.get_or_insert_default();
        rare.advised = rare.advised.max(until);
    }

    /// For how long from `now` the dependency wants to be left alone.
    pub(crate) fn advised(&self, now: Time) -> Duration {
        self.rare.as_ref().map_or_else(Default::default, |rare| rare.advised.since(now))
    }

    /// Failures since the last of so many successes.
    pub(super) fn in_a_row(&self, successes: u64) -> u32 {
        let last = self.count > 0 && successes + self.count == self.failures.newest() + 1;
        if last { self.run } else { 0 }
    }

    /// The last calls.
    pub(super) fn window(&self, total: u64) -> WindowStatus {
        let slow = self.rare.as_ref().and_then(|rare| rare.slow.as_ref());
        WindowStatus {
            calls: self.failures.calls(total),
            failures: self.failures.peek(total),
            slow: slow.map_or(0, |slow| slow.peek(total)),
        }
    }

    /// The last seconds, as of the last time that anything was put into a bucket.
    pub(super) fn recent(&self, counters: &Counters, epoch: Epoch) -> Option<WindowStatus> {
        let recent = self.last_seconds()?;
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

    /// How many failures in the windows are of this kind.
    pub(super) fn of_kind(&self, kind: FailureKind) -> u64 {
        match self.last_seconds() {
            Some(recent) => recent.sum_of_kind(kind as u8),
            None => self.failures.count_of(kind as u8).into(),
        }
    }

    /// What there is to see.
    pub(crate) fn look(&mut self, counters: &Counters, epoch: Epoch, now: Time) -> Recent {
        let successes = self.successes(counters, epoch);
        if let Some(recent) = self.last_seconds_mut() {
            recent.advance(now);
        }
        Recent {
            calls: self.window(successes + self.count),
            recent: self.recent(counters, epoch),
            consecutive_failures: self.in_a_row(successes).into(),
            last_failure: self.last_failure,
            by_kind: self.by_kind(),
        }
    }

    /// Forgets the epoch.
    pub(crate) fn clear(&mut self) {
        self.failures.clear();
        if let Some(rare) = &mut self.rare {
            rare.clear();
        }
        (self.count, self.run) = (0, 0);
        (self.epoch, self.untagged) = (Epoch::NONE, 0);
        self.last_failure = None;
    }

    /// All failures that it was told of, by kind.
    pub(crate) fn by_kind(&self) -> Kinds {
        let mut sum = self.rare.as_ref().map_or_else(Default::default, |rare| rare.by_kind);
        for (sum, &count) in sum.iter_mut().zip(&self.by_kind) {
            *sum += u64::from(count);
        }
        sum
    }

    /// The kind of the epoch's last failure.
    pub(crate) fn last_failure(&self) -> Option<FailureKind> {
        self.last_failure
    }
}
