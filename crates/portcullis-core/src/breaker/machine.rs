//! The breaker itself.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use super::{
    Config, Env, Settings, State, Status,
    cells::{Cell, Counters, Totals},
    log::Log,
    state::{Epoch, Word},
    status::Recent,
    transition::Trouble,
};
use crate::{
    ConfigError, Time,
    sync::{
        Mutex, MutexGuard,
        atomic::{
            AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
        },
        lock,
    },
};

/// What the lock guards: the memory of the present epoch, made when there is something to remember.
pub(super) type Guard<'a> = MutexGuard<'a, Option<Box<Log>>>;

/// A circuit breaker without a clock.
///
/// The [`Env`] is asked for the time only where a decision needs it: never on the way through a closed
/// breaker, unless its rules look at time. `shard` tells threads apart, and any number will do. No method
/// panics, and none waits, but for the lock that failures and transitions take one after the other.
pub struct Machine {
    pub(super) word: AtomicU64,
    pub(super) settings: Arc<Settings>,
    pub(super) counters: Counters,
    pub(super) log: Mutex<Option<Box<Log>>>,
    pub(super) trouble: OnceLock<Box<Trouble>>,
    /// When it was made.
    pub(super) born: Time,
}

impl Machine {
    /// A closed breaker with counters for `shards` threads, rounded up to a power of two of at most 1024.
    ///
    /// # Errors
    ///
    /// The first field of `config` outside its range.
    pub fn new(config: Config, shards: usize) -> Result<Self, ConfigError> {
        Ok(Self::with_settings(Arc::new(Settings::new(config)?), shards))
    }

    /// A breaker as [`new`](Self::new) makes it, that may share its settings with others.
    pub fn with_settings(settings: Arc<Settings>, shards: usize) -> Self {
        let counters = Counters::new(shards, settings.config().time_window.is_some());
        Self::with_counters(settings, counters)
    }

    /// A breaker of which there are many: it takes less memory, and all threads count in one place.
    pub fn small(settings: Arc<Settings>) -> Self {
        let counters = Counters::one(settings.config().time_window.is_some());
        Self::with_counters(settings, counters)
    }

    fn with_counters(settings: Arc<Settings>, counters: Counters) -> Self {
        let state = match settings.config().mode {
            super::Mode::Disabled => State::Disabled,
            _ => State::Closed,
        };
        let word = Word::new(state, Epoch::FIRST, 0).with_timed(settings.is_timed());
        Self {
            word: AtomicU64::new(word.raw()),
            settings,
            counters,
            log: Mutex::new(None),
            trouble: OnceLock::new(),
            born: Time::ORIGIN,
        }
    }

    /// The same breaker, closed since `now`.
    #[must_use]
    pub fn closed_since(self, now: Time) -> Self {
        Self { born: now, ..self }
    }

    /// Takes over what its settings are by now, with all that it remembers. With settings of its own,
    /// [`reconfigure`](Self::reconfigure) does both.
    pub fn refresh(&self, env: &impl Env) {
        let now = env.now();
        let mut guard = lock(&self.log);
        let word = self.word();
        let timed = self.settings.config().time_window.is_some();
        if let Some(log) = guard.as_deref_mut() {
            self.refresh_log(log, word.epoch(), now);
        } else {
            self.counters.set_end(timed.then_some(Time::ORIGIN));
        }
        self.word.store(word.with_timed(self.settings.is_timed()).raw(), Release);
    }

    /// The log's part of a refresh.
    #[cold]
    pub(super) fn refresh_log(&self, log: &mut Log, epoch: Epoch, now: Time) {
        // What the shards have of their buckets goes to where it belongs while the buckets are known.
        log.gather(&self.counters, epoch);
        log.refresh(&self.settings, &self.counters, epoch, now);
        // Of the bucket of now: a success that is on its way may be counted as if it were still in the old one.
        self.counters.set_end(log.end_of(now));
    }

    /// Changes the rules while calls flow: state, windows and everything else stay.
    ///
    /// # Errors
    ///
    /// The first field of `config` outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config, env: &impl Env) -> Result<(), ConfigError> {
        let before = self.settings.swap(config)?;
        self.refresh(env);
        self.follow_mode(before, env);
        Ok(())
    }

    /// The counts of a shard, for who counts there again and again. Of no use to a [small](Self::small) one.
    pub fn tally(&self, shard: usize) -> super::Tally {
        self.counters.tally(shard)
    }

    /// Whether it is closed.
    #[inline]
    pub fn is_closed(&self) -> bool {
        // A hint for now: nothing that was written before is read because of it.
        Word::from_raw(self.word.load(Relaxed)).is_closed()
    }

    /// The state as it was left by the last call; an open breaker whose time is over shows as open until
    /// a call comes.
    pub fn state(&self) -> State {
        self.word().state()
    }

    /// The rules.
    pub fn config(&self) -> Arc<Config> {
        self.settings.config()
    }

    /// The live settings.
    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// Everything there is to see.
    pub fn status(&self, now: Time) -> Status {
        // To the end, so that what transitions write is of one moment.
        let mut guard = lock(&self.log);
        let (word, seen, totals) = self.look(&mut guard, now);
        let trouble = self.trouble.get();
        let mut calls = seen.calls;
        if let (Some(trouble), false) = (trouble, keeps_windows(word.state())) {
            calls = trouble.evidence.window();
        }
        let count = |of: fn(&Trouble) -> &AtomicU64| trouble.map_or(0, |trouble| of(trouble).load(Relaxed));
        Status {
            state: word.state(),
            mode: self.settings.config().mode,
            since: now.since(self.since()),
            retry_in: word.is_open().then(|| word.time().since(now)),
            override_ends_in: word.override_end().map(|end| end.since(now)),
            transitions: count(|trouble| &trouble.transitions),
            trips: count(|trouble| &trouble.trips),
            trips_in_a_row: count(|trouble| &trouble.in_a_row) as u32,
            window_calls: calls.calls,
            window_failures: calls.failures,
            window_slow: calls.slow,
            recent: seen.recent,
            consecutive_failures: u32::try_from(seen.consecutive_failures).unwrap_or(u32::MAX),
            probes_in_flight: trouble.map_or(0, |trouble| trouble.probes.in_flight(word.epoch())),
            probe_successes: trouble.map_or(0, |trouble| trouble.probes.successes(word.epoch())),
            last_failure: seen.last_failure.or_else(|| trouble?.evidence.last_failure()),
            successes: totals.successes,
            failures: totals.failures,
            ignored: totals.ignored,
            abandoned: totals.abandoned,
            refused: totals.refused,
            bypassed: totals.bypassed,
            late: totals.late,
            refused_by_state: trouble
                .map_or_else(Default::default, |trouble| trouble.refused(word.state(), totals.refused)),
            bypassed_by_state: trouble
                .map_or_else(Default::default, |trouble| trouble.bypassed(word.state(), totals.bypassed)),
            failures_by_kind: seen.failures_by_kind(trouble.map(|trouble| trouble.failures())),
        }
    }

    /// The windows and the totals, which nobody moves from one counter to another meanwhile.
    fn look(&self, guard: &mut Guard<'_>, now: Time) -> (Word, Recent, Totals) {
        let word = self.word();
        let mut totals = self.counters.totals();
        totals.failures += guard.as_ref().map_or(0, |log| log.total());
        let by_kind = guard.as_ref().map_or_else(Default::default, |log| log.by_kind());
        let seen = match guard.as_deref_mut() {
            _ if !keeps_windows(word.state()) => Recent::default(),
            Some(log) => log.look(&self.counters, word.epoch(), now),
            None => Log::new(&self.settings).look(&self.counters, word.epoch(), now),
        };
        (word, Recent { by_kind, ..seen }, totals)
    }

    #[inline]
    pub(super) fn word(&self) -> Word {
        Word::from_raw(self.word.load(Acquire))
    }

    #[inline]
    pub(super) fn cell(&self, shard: usize) -> &Cell {
        self.counters.cell(shard)
    }
}

/// Whether the windows are alive.
pub(super) fn keeps_windows(state: State) -> bool {
    matches!(state, State::Closed | State::MetricsOnly)
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine").field("state", &self.state()).field("config", &self.config()).finish()
    }
}
