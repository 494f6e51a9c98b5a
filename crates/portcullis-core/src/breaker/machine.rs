//! The breaker's decision.

use std::{fmt, time::Duration};

use super::{
    Config, State, Status,
    counters::{Counters, bump},
    probe::{Lease, Probes},
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

/// Something changed since the refusal was decided.
const AT_ONCE: Option<Duration> = Some(Duration::ZERO);

/// Permission for one call; to be given back to [`Machine::settle`] exactly once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an admission that is not settled may hold a probe's permit until its lease ends"]
pub struct Admission {
    epoch: Epoch,
    kind: Kind,
    /// When it was given; known for probes and when cancelled calls are judged by their age.
    started: Time,
}

/// What an admission is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
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

/// A half-open breaker that should be open by now.
struct Overdue {
    since: Time,
    /// For a probe whose lease ran out; that is the probe's failure.
    hung: bool,
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
        match self.admit_closed(&now) {
            Some(admission) => Ok(admission),
            None => self.admit_slow(shard, self.word(), now()),
        }
    }

    /// Asks for one call of a closed breaker, and decides nothing when it is in another state: the short
    /// way, small enough to be inlined, before [`admit`](Self::admit).
    #[inline]
    pub fn admit_closed(&self, now: impl Fn() -> Time) -> Option<Admission> {
        let word = self.word();
        word.is_closed().then(|| self.call(word.epoch(), now))
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

    /// Records how an admitted call ended.
    #[inline]
    pub fn settle(&self, shard: usize, admission: Admission, outcome: Outcome, now: impl Fn() -> Time) {
        if outcome != Outcome::Success || !self.succeed(shard, &admission) {
            self.settle_slow(shard, admission, outcome, now);
        }
    }

    /// Records the success of a call of a closed breaker; `false`, and nothing is recorded, when it is
    /// anything else: the short way, small enough to be inlined, before [`settle`](Self::settle).
    #[inline]
    pub fn succeed(&self, shard: usize, admission: &Admission) -> bool {
        let counts = !admission.is_probe() && self.word().epoch() == admission.epoch;
        if counts {
            self.counters.success(shard, admission.epoch);
        }
        counts
    }

    /// Opens now, for the open time; does nothing while isolated.
    pub fn trip(&self, now: Time) {
        let until = self.open_until(now);
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
        Admission { epoch, kind: Kind::Call, started }
    }

    #[cold]
    #[inline(never)]
    fn is_refusing_slow(&self, word: Word, now: Time) -> bool {
        match word.state() {
            State::Closed => false,
            State::Open => now < word.time(),
            State::HalfOpen => match self.overdue(word, now) {
                Some(overdue) => now < Time::from_millis(self.open_until(overdue.since)),
                None => self.probes.first_end(word.epoch()).is_some(),
            },
            State::Isolated => true,
        }
    }

    #[cold]
    #[inline(never)]
    fn admit_slow(&self, shard: usize, mut word: Word, now: Time) -> Result<Admission, Refusal> {
        loop {
            let verdict = match word.state() {
                State::Closed => return Ok(self.call(word.epoch(), || now)),
                State::Isolated => Err(None),
                State::Open if now < word.time() => Err(Some(word.time().since(now))),
                // Open => HalfOpen, by whoever comes first after the open time
                State::Open => {
                    self.transition(word, State::HalfOpen, now.as_millis_ceil(), now);
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
        if let Some(overdue) = self.overdue(word, now) {
            self.reopen(shard, word, overdue);
            return Ok(None);
        }
        match self.probes.take(word.epoch(), now + self.config.lease) {
            Ok(lease) => Ok(self.confirm(word.epoch(), lease, now)),
            Err(Some(first_end)) if first_end > now => Err(Some(first_end.since(now))),
            // The epoch is over, or a lease ran out between the two looks.
            Err(_) => Ok(None),
        }
    }

    /// Whether a half-open breaker has waited too long: for a decision, or for a probe that holds the
    /// last permit.
    fn overdue(&self, word: Word, now: Time) -> Option<Overdue> {
        if word.state() != State::HalfOpen {
            return None;
        }
        let started = word.time();
        match self.config.max_half_open {
            // Not `started + max <= now`: at the end of time that is true at once, and for ever.
            Some(max) if now.since(started) >= max => Some(Overdue { since: started + max, hung: false }),
            _ => {
                let end = self.probes.first_end(word.epoch()).filter(|&end| end <= now)?;
                Some(Overdue { since: end, hung: true })
            }
        }
    }

    /// HalfOpen => Open, from when it was due.
    fn reopen(&self, shard: usize, word: Word, Overdue { since, hung }: Overdue) {
        if self.transition(word, State::Open, self.open_until(since), since) && hung {
            bump(&self.counters.cell(shard).failures);
            self.record_failure_kind(FailureKind::Timeout);
        }
    }

    /// A permit counts only if its epoch still lasts; otherwise it was taken too late.
    fn confirm(&self, epoch: Epoch, lease: Lease, now: Time) -> Option<Admission> {
        if self.word().epoch() == epoch {
            return Some(Admission { epoch, kind: Kind::Probe(lease.slot()), started: now });
        }
        self.probes.give_back(lease);
        None
    }

    #[cold]
    #[inline(never)]
    fn settle_slow(&self, shard: usize, admission: Admission, outcome: Outcome, now: impl Fn() -> Time) {
        let outcome = self.judge_age(&admission, outcome, &now);
        let cell = self.counters.cell(shard);
        let word = self.word();
        if word.epoch() != admission.epoch {
            return bump(&cell.late);
        }
        match outcome {
            Outcome::Success => self.probe_succeeded(shard, word, &admission, now()),
            Outcome::Failure(kind) => self.failed(shard, word, &admission, kind, now),
            Outcome::Ignored => bump(&cell.ignored),
            Outcome::Abandoned => bump(&cell.abandoned),
        }
        if let Some(lease) = self.lease(&admission) {
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
        let cell = self.counters.cell(shard);
        if admission.is_probe() {
            bump(&cell.failures);
            self.record_failure_kind(kind);
            // HalfOpen => Open
            let now = now();
            self.transition(word, State::Open, self.open_until(now), now);
            return;
        }
        // Under the lock from the look at the epoch to the transition: one failure opens, none is added
        // to an epoch that it ended, and the evidence is that failure's.
        let mut log = lock(&self.log);
        if self.word() != word {
            return bump(&cell.late);
        }
        bump(&cell.failures);
        self.record_failure_kind(kind);
        if let Some(counts) = log.push(&self.rules, word.epoch(), self.counters.successes_of(word.epoch())) {
            // Closed => Open
            let now = now();
            self.evidence.store(pack(counts), Relaxed);
            self.transition(word, State::Open, self.open_until(now), now);
            log.clear();
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
        if to == State::Open {
            bump(&self.trips);
        }
        // Every time, so that no count is ever left so far behind that its epoch looks newer.
        self.counters.begin(next.epoch());
        self.probes.begin(next.epoch());
        true
    }

    /// Moves to where `to` says, however often the state moves meanwhile. What is done by hand has no
    /// evidence.
    fn update(&self, now: Time, to: impl Fn(Word) -> Option<(State, u64)>) {
        loop {
            let word = self.word();
            let Some((state, millis)) = to(word) else { return };
            self.evidence.store(0, Relaxed);
            if self.transition(word, state, millis, now) {
                return;
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
        match admission.kind {
            Kind::Call => None,
            Kind::Probe(slot) => {
                Some(Lease::new(slot, admission.epoch, admission.started + self.config.lease))
            }
        }
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
