//! The breaker's decision.

use std::{fmt, time::Duration};

use super::{
    Config, State, Status,
    counters::Counters,
    probe::Probes,
    state::{Epoch, Word},
    trip::{FailureLog, Rules, WindowCounts},
};
use crate::{
    BreakerEvidence, ConfigError, Outcome, Time,
    sync::{
        Mutex,
        atomic::{
            AtomicU64,
            Ordering::{Acquire, Relaxed},
        },
        lock,
    },
};

/// Something changed since the refusal was decided.
const AT_ONCE: Option<Duration> = Some(Duration::ZERO);

/// Permission for one call; to be given back to [`Machine::settle`] exactly once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an admission that is not settled may hold a probe's permit until its lease ends"]
pub struct Admission {
    pub(super) epoch: Epoch,
    pub(super) kind: Kind,
    /// When it was given; known for probes and when cancelled calls are judged by their age.
    pub(super) started: Time,
}

/// What an admission is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Call,
    /// A probe, with the permit that it holds.
    Probe(u16),
}

impl Admission {
    /// Whether this call is a probe of a half-open breaker.
    #[inline]
    pub fn is_probe(&self) -> bool {
        matches!(self.kind, Kind::Probe(_))
    }
}

/// Why a call is not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What the breaker knew.
    pub evidence: BreakerEvidence,
    /// After this time a call may be admitted; `None` when nobody knows, as for an isolated breaker.
    pub retry_after: Option<Duration>,
}

/// A circuit breaker without a clock.
///
/// `now` is asked only where a decision needs it: never on the way through a closed breaker. `shard`
/// tells threads apart, and any number will do. No method panics, and none waits, but for the lock that
/// failures take one after the other.
pub struct Machine {
    pub(super) word: AtomicU64,
    pub(super) rules: Rules,
    pub(super) config: Config,
    pub(super) counters: Counters,
    pub(super) log: Mutex<FailureLog>,
    pub(super) probes: Probes,
    /// What the window held at the last trip, and the last failure's kind.
    pub(super) evidence: AtomicU64,
    pub(super) last_failure: AtomicU64,
    pub(super) since: AtomicU64,
    pub(super) transitions: AtomicU64,
    pub(super) trips: AtomicU64,
}

impl Machine {
    /// A closed breaker with counters for `shards` threads, rounded up to a power of two of at most 1024.
    ///
    /// # Errors
    ///
    /// The first field of `config` outside its range.
    pub fn new(config: Config, shards: usize) -> Result<Self, ConfigError> {
        config.check()?;
        let rules = Rules::new(&config);
        Ok(Self {
            word: AtomicU64::new(Word::new(State::Closed, Epoch::FIRST, 0).raw()),
            counters: Counters::new(shards),
            log: Mutex::new(FailureLog::new(&rules)),
            probes: Probes::new(config.permits),
            evidence: AtomicU64::new(0),
            last_failure: AtomicU64::new(0),
            since: AtomicU64::new(0),
            transitions: AtomicU64::new(0),
            trips: AtomicU64::new(0),
            rules,
            config,
        })
    }

    /// The same breaker, closed since `now`.
    #[must_use]
    pub fn closed_since(self, now: Time) -> Self {
        self.since.store(now.as_nanos(), Relaxed);
        self
    }

    /// Asks for one call.
    ///
    /// # Errors
    ///
    /// The refusal, when the breaker is not closed and no probe may go.
    #[inline]
    pub fn admit(&self, shard: usize, now: impl Fn() -> Time) -> Result<Admission, Refusal> {
        match self.admit_closed() {
            Some(admission) => Ok(admission),
            None => self.admit_slow(shard, self.word(), now()),
        }
    }

    /// Asks for one call of a closed breaker that need not know the time, and decides nothing when that is
    /// not so: the short way, small enough to be inlined, before [`admit`](Self::admit).
    #[inline]
    pub fn admit_closed(&self) -> Option<Admission> {
        let word = self.word();
        let short = word.is_closed() && self.config.hung_after.is_none();
        short.then(|| self.call(word.epoch(), Time::ORIGIN))
    }

    /// Whether it is closed.
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.word().is_closed()
    }

    /// Whether a call that came now would be refused.
    #[inline]
    pub fn is_refusing(&self, now: impl Fn() -> Time) -> bool {
        let word = self.word();
        !word.is_closed() && self.is_refusing_slow(word, now())
    }

    /// Counts and explains a refusal that was decided when [`is_refusing`](Self::is_refusing) was asked.
    pub fn refuse(&self, shard: usize, now: Time) -> Refusal {
        let mut word = self.word();
        if let Some(overdue) = self.overdue(word, now) {
            self.reopen(shard, word, overdue);
            word = self.word();
        }
        let retry_after = match word.state() {
            State::Isolated => None,
            State::Open => Some(word.time().since(now)),
            State::HalfOpen => self.probes.first_end(word.epoch()).map(|end| end.since(now)).or(AT_ONCE),
            State::Closed => AT_ONCE,
        };
        self.refusal(shard, word.state(), retry_after)
    }

    /// Records how an admitted call ended. `now` may be asked while a lock is held: it must not use this
    /// breaker.
    #[inline]
    pub fn settle(&self, shard: usize, admission: Admission, outcome: Outcome, now: impl Fn() -> Time) {
        if outcome != Outcome::Success || !self.succeed(shard, &admission) {
            self.settle_slow(shard, admission, outcome, now);
        }
    }

    /// Records the success of a call of a closed breaker; `false`, and nothing is recorded, when it is
    /// anything else: the short way, small enough to be inlined, before [`settle`](Self::settle).
    ///
    /// Whether the call's epoch still lasts is left to the counter, which knows its own: a success that
    /// races with the end of its epoch counts in that epoch, or as late.
    #[inline]
    pub fn succeed(&self, shard: usize, admission: &Admission) -> bool {
        let counts = !admission.is_probe();
        if counts {
            self.counters.success(shard, admission.epoch);
        }
        counts
    }

    /// Opens now, for the open time. One that is open stays open for the open time from now, and that is
    /// no new trip; one that is isolated stays so.
    pub fn trip(&self, now: Time) {
        let until = self.open_until(now);
        while self.state() == State::Open {
            if self.stay_open(self.word(), until) {
                return;
            }
        }
        let can_open = |word: Word| matches!(word.state(), State::Closed | State::HalfOpen);
        self.update(now, |word| can_open(word).then_some((State::Open, until)));
    }

    /// Closes now with an empty window; releases an isolated breaker too.
    pub fn reset(&self, now: Time) {
        self.update(now, |_| Some((State::Closed, 0)));
    }

    /// Closes an open or half-open breaker with an empty window; does nothing in other states.
    pub fn close(&self, now: Time) {
        let opened = |word: Word| matches!(word.state(), State::Open | State::HalfOpen);
        self.update(now, |word| opened(word).then_some((State::Closed, 0)));
    }

    /// Refuses every call until [`release`](Self::release) or [`reset`](Self::reset).
    pub fn isolate(&self, now: Time) {
        self.update(now, |word| (word.state() != State::Isolated).then_some((State::Isolated, 0)));
    }

    /// Closes an isolated breaker; does nothing in other states.
    pub fn release(&self, now: Time) {
        self.update(now, |word| (word.state() == State::Isolated).then_some((State::Closed, 0)));
    }

    /// The state as it was left by the last call; an open breaker whose time is over shows as open until
    /// a call comes.
    pub fn state(&self) -> State {
        self.word().state()
    }

    /// The rules.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Everything there is to see.
    pub fn status(&self, now: Time) -> Status {
        let word = self.word();
        let counts = if word.is_closed() { self.window(word.epoch()) } else { self.evidence() };
        let totals = self.counters.totals();
        Status {
            state: word.state(),
            since: now.since(Time::from_nanos(self.since.load(Relaxed))),
            retry_in: (word.state() == State::Open).then(|| word.time().since(now)),
            transitions: self.transitions.load(Relaxed),
            trips: self.trips.load(Relaxed),
            window_calls: counts.calls,
            window_failures: counts.failures,
            consecutive_failures: counts.consecutive,
            probes_in_flight: self.probes.in_flight(word.epoch()),
            probe_successes: self.probes.successes(word.epoch()),
            last_failure: self.last_failure(),
            successes: totals.successes,
            failures: totals.failures,
            ignored: totals.ignored,
            abandoned: totals.abandoned,
            refused: totals.refused,
            late: totals.late,
        }
    }

    #[inline]
    pub(super) fn word(&self) -> Word {
        Word::from_raw(self.word.load(Acquire))
    }

    #[inline]
    pub(super) fn call(&self, epoch: Epoch, started: Time) -> Admission {
        Admission { epoch, kind: Kind::Call, started }
    }

    fn window(&self, epoch: Epoch) -> WindowCounts {
        let log = lock(&self.log);
        log.counts(&self.rules, epoch, self.counters.successes_of(epoch))
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine").field("state", &self.state()).field("config", &self.config).finish()
    }
}
