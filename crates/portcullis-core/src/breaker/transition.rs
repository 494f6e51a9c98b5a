//! From one state to the next: always under the lock, one at a time.

use std::time::Duration;

use super::{
    Config, Env, Machine, Opening, State,
    cells::bump,
    config,
    evidence::{Evidence, Trip},
    machine::Guard,
    probe::Probes,
    state::Word,
};
use crate::{
    BreakerEvidence, FailureKind, Time,
    sync::{
        atomic::{
            AtomicU64,
            Ordering::{Relaxed, Release},
        },
        lock,
    },
    time::nanos,
};

/// A change of state.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Transition {
    /// The state that ended.
    pub from: State,
    /// The state that began.
    pub to: State,
    /// When.
    pub at: Time,
    /// Why it is not closed, as it tells whom it refuses; of one that has closed, why it was not.
    pub evidence: BreakerEvidence,
    /// How long a breaker that opened stays open.
    pub retry_in: Option<Duration>,
}

/// What only a breaker needs that was not always closed.
#[derive(Default)]
pub(crate) struct Trouble {
    pub(crate) evidence: Evidence,
    pub(crate) probes: Probes,
    /// When the present state began, in nanoseconds.
    pub(crate) since: AtomicU64,
    pub(crate) transitions: AtomicU64,
    pub(crate) trips: AtomicU64,
    /// How many times in a row it opened without a stable close between.
    pub(crate) in_a_row: AtomicU64,
    refused: Account,
    bypassed: Account,
    /// Failures of probes and of calls that were bypassed, by kind.
    failures: [AtomicU64; FailureKind::ALL.len()],
}

/// Why a breaker opens.
#[derive(Clone, Copy, Default)]
pub(crate) struct Why {
    /// The rule that was met. Without one, the last trip still tells why.
    pub(crate) trip: Option<Trip>,
    /// By hand: nothing tells why.
    pub(crate) by_hand: bool,
    /// For how long the dependency wants to be left alone.
    pub(crate) advised: Duration,
}

impl Trouble {
    /// Counts a failure that is in no window.
    pub(crate) fn failed(&self, kind: FailureKind) {
        bump(&self.failures[kind.index()]);
    }

    /// Failures that were in no window, by kind.
    pub(crate) fn failures(&self) -> [u64; FailureKind::ALL.len()] {
        self.failures.each_ref().map(|count| count.load(Relaxed))
    }

    /// Refusals by state, when there were so many in all and the state is this one.
    pub(crate) fn refused(&self, state: State, all: u64) -> ByState {
        self.refused.read(state, all)
    }

    /// Calls that were bypassed, by the state that was to refuse them.
    pub(crate) fn bypassed(&self, state: State, all: u64) -> ByState {
        self.bypassed.read(state, all)
    }
}

/// Counts by state.
pub(crate) type ByState = [u64; State::ALL.len()];

/// Of a sum that only grows, how much of it each state had: what was added while a state lasted was its own,
/// so that no call need say in which state it was.
#[derive(Default)]
struct Account {
    closed: [AtomicU64; State::ALL.len()],
    /// The sum when the present state began.
    before: AtomicU64,
}

impl Account {
    fn read(&self, state: State, sum: u64) -> ByState {
        let mut counts = self.closed.each_ref().map(|count| count.load(Relaxed));
        counts[state as usize] += sum.saturating_sub(self.before.load(Relaxed));
        counts
    }

    /// The state ends.
    fn close(&self, state: State, sum: u64) {
        self.closed[state as usize].store(self.read(state, sum)[state as usize], Relaxed);
        self.before.store(sum, Relaxed);
    }
}

impl Machine {
    /// Opens at `at`, unless the state has moved on from `from`.
    pub(super) fn open<'a>(
        &'a self,
        guard: Guard<'a>,
        from: Word,
        why: Why,
        at: Time,
        env: &impl Env,
    ) -> bool {
        let config = self.settings.config();
        let last = guard.as_ref().and_then(|log| log.last_failure());
        let opening = self.opening(from, why, at, last, &config);
        let (guard, time) = if config.open_time.is_some() {
            // It may use this breaker.
            drop(guard);
            let time = open_time(&config, &opening, env);
            (lock(&self.log), time)
        } else {
            (guard, open_time(&config, &opening, env))
        };
        if !self.is_still(from) {
            return false;
        }
        let time = time.max(why.advised.min(longest(&config)));
        let trouble = self.trouble();
        match (why.trip, why.by_hand) {
            (Some(trip), _) => trouble.evidence.keep(&trip),
            (None, true) => trouble.evidence.clear(),
            (None, false) => {}
        }
        trouble.trips.store(trouble.trips.load(Relaxed) + 1, Relaxed);
        trouble.in_a_row.store(opening.times.into(), Relaxed);
        self.enter(guard, from, State::Open, (at + time).as_millis(), at, env);
        true
    }

    pub(super) fn opening(
        &self,
        from: Word,
        why: Why,
        at: Time,
        last: Option<FailureKind>,
        config: &Config,
    ) -> Opening {
        let trouble = self.trouble();
        let stable = from.is_closed() && at.since(self.since()) >= config.open_reset_after;
        let before = if stable { 0 } else { trouble.in_a_row.load(Relaxed) };
        let window = match (why.trip, why.by_hand) {
            (Some(trip), _) => trip.window,
            (None, true) => Default::default(),
            (None, false) => trouble.evidence.window(),
        };
        Opening {
            times: u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1),
            window,
            last_failure: last.or(trouble.evidence.last_failure()),
            advised: why.advised,
        }
    }

    /// What keeps an open breaker open.
    pub(super) fn opening_again(&self) -> Opening {
        let trouble = self.trouble();
        Opening {
            times: u32::try_from(trouble.in_a_row.load(Relaxed)).unwrap_or(u32::MAX),
            window: trouble.evidence.window(),
            last_failure: trouble.evidence.last_failure(),
            advised: Duration::ZERO,
        }
    }

    /// Moves on from `from`, of which the present word is, and tells so.
    pub(super) fn enter(
        &self,
        mut guard: Guard<'_>,
        from: Word,
        to: State,
        millis: u64,
        at: Time,
        env: &impl Env,
    ) {
        // Not from `from`, of which a refresh may have changed the flag.
        let next = self.word().next(to, millis);
        let trouble = self.trouble();
        if let Some(kind) = guard.as_ref().and_then(|log| log.last_failure()) {
            trouble.evidence.failed(kind);
        }
        let totals = self.counters.totals();
        trouble.refused.close(from.state(), totals.refused);
        trouble.bypassed.close(from.state(), totals.bypassed);
        trouble.since.store(at.as_nanos(), Relaxed);
        trouble.transitions.store(trouble.transitions.load(Relaxed) + 1, Relaxed);
        self.word.store(next.raw(), Release);
        // Every time, so that no count is ever left so far behind that its epoch looks newer.
        self.counters.begin(next.epoch());
        trouble.probes.begin(next.epoch(), self.settings.permits());
        if let Some(log) = guard.as_deref_mut() {
            log.clear();
        }
        let transition = Transition {
            from: from.state(),
            to,
            at,
            evidence: trouble.evidence.read(to),
            retry_in: (to == State::Open).then(|| next.time().since(at)),
        };
        drop(guard);
        env.moved(&transition);
    }

    /// Moves on from `from`, unless the state has, or has been prolonged. For what needs no open time.
    pub(super) fn leave(&self, from: Word, to: State, millis: u64, at: Time, env: &impl Env) -> bool {
        let guard = lock(&self.log);
        let still = self.is_still(from) && self.word().time() == from.time();
        if still {
            self.enter(guard, from, to, millis, at, env);
        }
        still
    }

    /// Whether the state is still the one of this word. Under the lock that stays so.
    #[inline]
    pub(super) fn is_still(&self, word: Word) -> bool {
        let now = self.word();
        now.epoch() == word.epoch()
    }

    #[inline]
    pub(super) fn trouble(&self) -> &Trouble {
        self.trouble.get_or_init(Box::default)
    }

    /// When the present state began.
    pub(super) fn since(&self) -> Time {
        self.trouble
            .get()
            .filter(|trouble| trouble.transitions.load(Relaxed) > 0)
            .map_or(self.born, |trouble| Time::from_nanos(trouble.since.load(Relaxed)))
    }
}

/// How long it stays open.
pub(super) fn open_time(config: &Config, opening: &Opening, env: &impl Env) -> Duration {
    match config.open_time.as_ref().and_then(|function| function.of(opening)) {
        Some(time) => time.clamp(config::SHORTEST, config::LONGEST),
        None => planned(config, opening.times, env),
    }
}

/// How long it stays open the `times`th time in a row: grown, capped, and only then left to chance.
fn planned(config: &Config, times: u32, env: &impl Env) -> Duration {
    let exponent = i32::try_from(times.saturating_sub(1)).unwrap_or(i32::MAX);
    let grown = nanos(config.open_for) as f64 * config.open_factor.powi(exponent);
    // `as` saturates.
    let capped = (grown as u64).min(nanos(longest(config)));
    if config.open_jitter <= 0.0 {
        return Duration::from_nanos(capped);
    }
    let chance = (env.random() >> 11) as f64 / (1u64 << 53) as f64;
    let less = (capped as f64 * config.open_jitter * chance) as u64;
    Duration::from_nanos(capped.saturating_sub(less)).max(config::SHORTEST)
}

/// The longest open time that a configuration allows.
fn longest(config: &Config) -> Duration {
    config.open_cap.max(config.open_for)
}
