//! The breaker's decision.

use std::{fmt, time::Duration};

use super::{
    Config, State, Status,
    counters::{Counters, bump},
    probe::{Lease, Probes, Taken},
    state::{Epoch, Word},
    trip::{FailureLog, Rules, WindowCounts},
};
use crate::{
    BreakerEvidence, ConfigError, FailureKind, Outcome, Time,
    sync::{
        Mutex,
        atomic::{
            AtomicU64,
            Ordering::{AcqRel, Acquire, Relaxed},
        },
        lock,
    },
};

/// Not a probe.
const NO_SLOT: u32 = u32::MAX;

/// Permission for one call; to be given back to [`Machine::settle`] exactly once.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "an admission that is not settled may hold a probe's permit until its lease ends"]
pub struct Admission {
    epoch: Epoch,
    slot: u32,
    /// When it was given; known for probes and when cancelled calls are judged by their age.
    started: Time,
}

impl Admission {
    /// Whether this call is a probe of a half-open breaker.
    pub fn is_probe(&self) -> bool {
        self.slot != NO_SLOT
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
    word: AtomicU64,
    rules: Rules,
    config: Config,
    counters: Counters,
    log: Mutex<FailureLog>,
    probes: Probes,
    /// What the window held at the last trip, and the last failure's kind.
    evidence: AtomicU64,
    last_failure: AtomicU64,
    since: AtomicU64,
    transitions: AtomicU64,
    trips: AtomicU64,
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

    /// Asks for one call.
    ///
    /// # Errors
    ///
    /// The refusal, when the breaker is not closed and no probe may go.
    #[inline]
    pub fn admit(&self, shard: usize, now: impl Fn() -> Time) -> Result<Admission, Refusal> {
        let word = self.word();
        if word.is_closed() {
            return Ok(self.call(word.epoch(), now));
        }
        self.admit_slow(shard, word, now())
    }

    /// Whether a call that came now would be refused.
    #[inline]
    pub fn is_refusing(&self, now: impl Fn() -> Time) -> bool {
        let word = self.word();
        match word.state() {
            State::Closed => false,
            State::Open => now() < word.time(),
            State::HalfOpen => self.probes.is_full(word.epoch(), now()),
            State::Isolated => true,
        }
    }

    /// Counts and explains a refusal that was decided when [`is_refusing`](Self::is_refusing) was asked.
    pub fn refuse(&self, shard: usize, now: Time) -> Refusal {
        let word = self.word();
        let retry_after = match word.state() {
            State::Isolated => None,
            State::Open => Some(word.time().since(now)),
            State::Closed | State::HalfOpen => Some(Duration::ZERO),
        };
        self.refusal(shard, word.state(), retry_after)
    }

    /// Records how an admitted call ended.
    #[inline]
    pub fn settle(&self, shard: usize, admission: Admission, outcome: Outcome, now: impl Fn() -> Time) {
        if outcome == Outcome::Success && !admission.is_probe() && self.word().epoch() == admission.epoch {
            return self.counters.success(shard, admission.epoch);
        }
        self.settle_slow(shard, &admission, outcome, now);
    }

    /// Opens now, for the open time; does nothing while isolated.
    pub fn trip(&self, now: Time) {
        let until = self.open_until(now);
        self.evidence.store(0, Relaxed);
        self.update(now, |word| (word.state() != State::Isolated).then_some((State::Open, until)));
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
        let counts = self.window(word.epoch());
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
    fn word(&self) -> Word {
        Word::from_raw(self.word.load(Acquire))
    }

    #[inline]
    fn call(&self, epoch: Epoch, now: impl Fn() -> Time) -> Admission {
        let started = if self.config.hung_after.is_some() { now() } else { Time::ORIGIN };
        Admission { epoch, slot: NO_SLOT, started }
    }

    #[cold]
    fn admit_slow(&self, shard: usize, mut word: Word, now: Time) -> Result<Admission, Refusal> {
        loop {
            let verdict = match word.state() {
                State::Closed => return Ok(self.call(word.epoch(), || now)),
                State::Isolated => Err(None),
                State::Open if now < word.time() => Err(Some(word.time().since(now))),
                // Open => HalfOpen, by whoever comes first after the open time
                State::Open => {
                    self.transition(word, State::HalfOpen, now.as_millis(), now);
                    Ok(None)
                }
                State::HalfOpen => self.probe(shard, word, now),
            };
            match verdict {
                Ok(Some(admission)) => return Ok(admission),
                Ok(None) => word = self.word(),
                Err(retry_after) => return Err(self.refusal(shard, word.state(), retry_after)),
            }
        }
    }

    /// Asks for a probe's permit. `Ok(None)` when the state moved and the question must be put again.
    fn probe(&self, shard: usize, word: Word, now: Time) -> Result<Option<Admission>, Option<Duration>> {
        let epoch = word.epoch();
        let ends = self.config.max_half_open.map(|max| word.time() + max);
        if let Some(end) = ends.filter(|&end| end <= now) {
            // HalfOpen => Open: no decision in time
            self.transition(word, State::Open, self.open_until(end), end);
            return Ok(None);
        }
        match self.probes.take(epoch, now, now + self.config.lease) {
            Ok(lease) => Ok(self.confirm(epoch, lease, now)),
            Err(Taken::Expired(at)) => {
                // HalfOpen => Open: a probe hangs, which is its answer
                if self.transition(word, State::Open, self.open_until(at), at) {
                    bump(&self.counters.cell(shard).failures);
                    self.record_failure_kind(FailureKind::Timeout);
                }
                Ok(None)
            }
            Err(Taken::Until(end)) => Err(Some(end.since(now))),
        }
    }

    /// A permit counts only if its epoch still lasts; otherwise it was taken too late.
    fn confirm(&self, epoch: Epoch, lease: Lease, now: Time) -> Option<Admission> {
        if self.word().epoch() == epoch {
            return Some(Admission { epoch, slot: lease.slot(), started: now });
        }
        self.probes.give_back(lease);
        None
    }

    #[cold]
    fn settle_slow(&self, shard: usize, admission: &Admission, outcome: Outcome, now: impl Fn() -> Time) {
        let outcome = self.judge_age(admission, outcome, &now);
        let cell = self.counters.cell(shard);
        let word = self.word();
        if word.epoch() != admission.epoch {
            return bump(&cell.late);
        }
        match outcome {
            Outcome::Success => self.probe_succeeded(shard, word, admission, now()),
            Outcome::Failure(kind) => self.failed(shard, word, admission, kind, now),
            Outcome::Ignored => bump(&cell.ignored),
            Outcome::Abandoned => bump(&cell.abandoned),
        }
        if let Some(lease) = self.lease(admission) {
            self.probes.give_back(lease);
        }
    }

    /// A call that was given up only after a long time has shown that the dependency hangs.
    fn judge_age(&self, admission: &Admission, outcome: Outcome, now: impl Fn() -> Time) -> Outcome {
        match (outcome, self.config.hung_after) {
            (Outcome::Abandoned, Some(age)) if now().since(admission.started) >= age => {
                Outcome::Failure(FailureKind::Timeout)
            }
            _ => outcome,
        }
    }

    fn probe_succeeded(&self, shard: usize, word: Word, admission: &Admission, now: Time) {
        self.counters.past_success(shard);
        // HalfOpen => Closed
        if self.probes.success(admission.epoch) >= u64::from(self.config.successes) {
            self.transition(word, State::Closed, 0, now);
        }
    }

    fn failed(
        &self,
        shard: usize,
        word: Word,
        admission: &Admission,
        kind: FailureKind,
        now: impl Fn() -> Time,
    ) {
        bump(&self.counters.cell(shard).failures);
        self.record_failure_kind(kind);
        if admission.is_probe() {
            // HalfOpen => Open
            let now = now();
            self.transition(word, State::Open, self.open_until(now), now);
            return;
        }
        let met = {
            let mut log = lock(&self.log);
            log.push(&self.rules, admission.epoch, self.counters.successes_of(admission.epoch))
        };
        if let Some(counts) = met {
            // Closed => Open
            let now = now();
            self.evidence.store(pack(counts), Relaxed);
            self.transition(word, State::Open, self.open_until(now), now);
        }
    }

    /// Moves on from `from`, unless somebody else has.
    fn transition(&self, from: Word, to: State, millis: u64, now: Time) -> bool {
        let next = from.next(to, millis);
        if self.word.compare_exchange(from.raw(), next.raw(), AcqRel, Acquire).is_err() {
            return false;
        }
        self.since.store(now.as_nanos(), Relaxed);
        bump(&self.transitions);
        match to {
            State::Closed => self.counters.begin(next.epoch()),
            State::Open => bump(&self.trips),
            State::HalfOpen | State::Isolated => {}
        }
        true
    }

    /// Moves to where `to` says, however often the state moves meanwhile.
    fn update(&self, now: Time, to: impl Fn(Word) -> Option<(State, u64)>) {
        loop {
            let word = self.word();
            match to(word) {
                Some((state, millis)) if !self.transition(word, state, millis, now) => {}
                _ => return,
            }
        }
    }

    fn refusal(&self, shard: usize, state: State, retry_after: Option<Duration>) -> Refusal {
        bump(&self.counters.cell(shard).refused);
        let counts = unpack(self.evidence.load(Relaxed));
        let evidence = BreakerEvidence {
            state,
            failures: counts.failures,
            calls: counts.calls,
            last_failure: self.last_failure(),
        };
        Refusal { evidence, retry_after }
    }

    fn lease(&self, admission: &Admission) -> Option<Lease> {
        let end = admission.started + self.config.lease;
        admission.is_probe().then(|| Lease::new(admission.slot, admission.epoch, end))
    }

    fn open_until(&self, from: Time) -> u64 {
        (from + self.config.open_for).as_millis_ceil()
    }

    fn window(&self, epoch: Epoch) -> WindowCounts {
        let log = lock(&self.log);
        log.counts(&self.rules, epoch, self.counters.successes_of(epoch))
    }

    fn record_failure_kind(&self, kind: FailureKind) {
        self.last_failure.store(kind as u64, Relaxed);
    }

    fn last_failure(&self) -> Option<FailureKind> {
        FailureKind::from_number(self.last_failure.load(Relaxed) as u8)
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine").field("state", &self.state()).field("config", &self.config).finish()
    }
}

fn pack(counts: WindowCounts) -> u64 {
    (u64::from(counts.failures) << 32) | u64::from(counts.calls)
}

fn unpack(word: u64) -> WindowCounts {
    WindowCounts { failures: (word >> 32) as u32, calls: word as u32, consecutive: 0 }
}
