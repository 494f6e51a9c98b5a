//! What the end of a call leads to.

use super::{
    Admission, Env, Machine, State,
    admission::Kind,
    cells::bump,
    evidence::Trip,
    log::Log,
    machine::Guard,
    state::Word,
    transition::Why,
    trip::{Found, Mark},
};
use crate::{
    Failure, FailureKind, Outcome, Time,
    sync::{atomic::Ordering::Release, lock},
};

impl Machine {
    /// Records how an admitted call ended.
    #[inline]
    pub fn settle(&self, shard: usize, admission: Admission, outcome: Outcome, env: &impl Env) {
        match outcome {
            Outcome::Success if self.succeed(shard, &admission, env) => {}
            Outcome::Failure(failure) => self.fail(shard, &admission, &failure, env),
            _ => self.settle_slow(shard, &admission, outcome, env),
        }
    }

    /// Records the success of a call of a closed breaker; `false`, and nothing is recorded, when it is
    /// anything else: the short way, small enough to be inlined, before [`settle`](Self::settle).
    ///
    /// Whether the call's epoch still lasts is left to the counter, which knows its own: a success that
    /// races with the end of its epoch counts in that epoch, or as late.
    #[inline]
    pub fn succeed(&self, shard: usize, admission: &Admission, env: &impl Env) -> bool {
        admission.is_plain() && self.cell(shard).success(admission.epoch(), env)
    }

    #[cold]
    #[inline(never)]
    pub(super) fn settle_slow(&self, shard: usize, admission: &Admission, outcome: Outcome, env: &impl Env) {
        match admission.kind() {
            Kind::Call => self.call_ended(shard, admission, outcome, false, env),
            Kind::Timed => {
                let (outcome, slow) = self.judge_age(admission, outcome, env);
                self.call_ended(shard, admission, outcome, slow, env);
            }
            Kind::Probe(_) | Kind::Ramp => self.trial_ended(shard, admission, outcome, env),
            Kind::Bypass => self.count(shard, outcome),
            Kind::Untracked => {}
        }
    }

    /// What the duration of a call says: that it was slow, or, when it was given up only after a long time,
    /// that the dependency hangs.
    fn judge_age(&self, admission: &Admission, outcome: Outcome, env: &impl Env) -> (Outcome, bool) {
        let age = env.now().since(admission.started);
        let outlasts = |limit: Option<_>| limit.is_some_and(|limit| age >= limit);
        let outcome = match outcome {
            Outcome::Abandoned if outlasts(self.settings.hung_after()) => {
                Failure::new(FailureKind::Timeout).into()
            }
            other => other,
        };
        (outcome, outlasts(self.settings.slow_after()))
    }

    fn call_ended(&self, shard: usize, admission: &Admission, outcome: Outcome, slow: bool, env: &impl Env) {
        let cell = self.cell(shard);
        let word = self.word();
        if word.epoch() != admission.epoch() {
            return bump(&cell.late);
        }
        match outcome {
            Outcome::Success => self.succeeded(shard, word, slow, env),
            Outcome::Failure(failure) => {
                let mark = Mark { failure: Some(failure.kind), slow };
                self.mark(shard, word, mark, Some(&failure), env);
            }
            Outcome::Ignored => bump(&cell.ignored),
            Outcome::Abandoned => bump(&cell.abandoned),
        }
    }

    /// A success that was slow, or that is the first of its bucket of time, or that met another.
    fn succeeded(&self, shard: usize, word: Word, slow: bool, env: &impl Env) {
        let cell = self.cell(shard);
        if cell.is_new() {
            let _guard = lock(&self.log);
            if !self.is_still(word) {
                return bump(&cell.late);
            }
            self.counters.join(cell, word.epoch());
        }
        // A slow one is in the same bucket as what is remembered of it.
        let now = if slow { env.now() } else { env.coarse() };
        if cell.is_behind(word.epoch()) {
            // Who began the epoch is about to. Whatever moves counts around holds the lock: totals never
            // go down.
            drop(lock(&self.log));
        }
        // A slow one counts by the rules that it is judged by: those of now.
        if slow || cell.ended(now.as_nanos()).is_some() {
            let mut guard = lock(&self.log);
            if !self.is_still(word) {
                return bump(&cell.late);
            }
            self.log_of(&mut guard, word, env).roll(cell, word.epoch(), now);
        }
        cell.success_slow(word.epoch());
        if slow {
            self.mark(shard, word, Mark { failure: None, slow }, None, env);
        }
    }

    /// Remembers a failure or a slow success, and opens when that meets a rule.
    fn mark(&self, shard: usize, word: Word, mark: Mark, failure: Option<&Failure>, env: &impl Env) {
        let mut guard = lock(&self.log);
        if !self.is_still(word) {
            // A slow success has been counted already, as one or as late.
            if failure.is_some() {
                bump(&self.cell(shard).late);
            }
            return;
        }
        let log = self.log_of(&mut guard, word, env);
        if let Some(after) = failure.and_then(|failure| failure.retry_after) {
            log.advise(env.now() + after);
        }
        let found = log.mark(mark, &self.counters, word.epoch(), || env.now());
        self.act(guard, word, found, env);
    }

    /// Opens, when a rule is met.
    pub(super) fn act(&self, guard: Guard<'_>, word: Word, found: Found, env: &impl Env) {
        match found {
            Found::Nothing => {}
            _ if word.state() == State::MetricsOnly => {}
            Found::Trip(trip) => self.trip_by(guard, word, trip, env),
            Found::Ask(seen) => {
                // Outside of the lock: it may use this breaker.
                drop(guard);
                let config = self.settings.config();
                if config.rule.as_ref().is_some_and(|rule| rule.is_met(&seen)) {
                    self.trip_by(lock(&self.log), word, Trip::custom(&seen), env);
                }
            }
        }
    }

    // Closed => Open
    #[cold]
    fn trip_by(&self, guard: Guard<'_>, word: Word, trip: Trip, env: &impl Env) {
        let now = env.now();
        let advised = guard.as_ref().map_or_else(Default::default, |log| log.advised(now));
        if self.is_still(word) {
            let why = Why { trip: Some(trip), by_hand: false, advised };
            self.open(guard, word, why, now, env);
        }
    }

    /// The log, made if need be, and by the rules of now.
    #[inline]
    pub(super) fn log_of<'a>(&self, guard: &'a mut Guard<'_>, word: Word, env: &impl Env) -> &'a mut Log {
        // A new one goes by the rules of now, which the shards and the word may not know yet.
        let is_new = guard.is_none();
        let log = guard.get_or_insert_with(|| Box::new(Log::new(&self.settings)));
        if is_new || !log.is_current(&self.settings) {
            self.refresh_log(log, word.epoch(), env.now());
            self.word.store(self.word().with_timed(self.settings.is_timed()).raw(), Release);
        }
        log
    }

    /// A probe, or a call of a recovering breaker, ended.
    fn trial_ended(&self, shard: usize, admission: &Admission, outcome: Outcome, env: &impl Env) {
        let outcome = match self.judge_age(admission, outcome, env) {
            // Right, but still too slow: it would open again at once.
            (Outcome::Success, true) => Failure::new(FailureKind::Slow).into(),
            (outcome, _) => outcome,
        };
        let word = self.word();
        if word.epoch() != admission.epoch() {
            return bump(&self.cell(shard).late);
        }
        self.count(shard, outcome);
        match outcome {
            Outcome::Success => self.trial_succeeded(word, admission, env),
            Outcome::Failure(failure) => self.trial_failed(word, admission, &failure, env),
            Outcome::Ignored | Outcome::Abandoned => {}
        }
        if let Kind::Probe(slot) = admission.kind() {
            self.trouble().probes.give_back(admission.epoch(), slot);
        }
    }

    fn trial_succeeded(&self, word: Word, admission: &Admission, env: &impl Env) {
        if admission.is_probe() {
            let (successes, failures) = self.trouble().probes.count(word.epoch(), true);
            return self.judge_probes(word, successes, failures, env);
        }
        let now = env.now();
        // Recovering => Closed, by the first success after the ramp
        if self.settings.ramp().is_none_or(|ramp| now.since(word.time()) >= ramp) {
            self.leave(word, State::Closed, 0, now, env);
        }
    }

    fn trial_failed(&self, word: Word, admission: &Admission, failure: &Failure, env: &impl Env) {
        self.trouble().evidence.failed(failure.kind);
        if admission.is_probe() && self.settings.probe_ratio().is_some() {
            self.advise(word, failure, env);
            let (successes, failures) = self.trouble().probes.count(word.epoch(), false);
            return self.judge_probes(word, successes, failures, env);
        }
        self.fall_back(word, failure.retry_after, env);
    }

    /// Remembers for how long the dependency wants to be left alone, should the other probes fail too.
    fn advise(&self, word: Word, failure: &Failure, env: &impl Env) {
        let Some(after) = failure.retry_after else { return };
        let mut guard = lock(&self.log);
        if self.is_still(word) {
            self.log_of(&mut guard, word, env).advise(env.now() + after);
        }
    }

    // HalfOpen or Recovering => Open
    fn fall_back(&self, word: Word, retry_after: Option<std::time::Duration>, env: &impl Env) {
        let guard = lock(&self.log);
        if self.is_still(word) {
            let now = env.now();
            let earlier = guard.as_ref().map_or_else(Default::default, |log| log.advised(now));
            let advised = earlier.max(retry_after.unwrap_or_default());
            self.open(guard, word, Why { advised, ..Why::default() }, now, env);
        }
    }

    /// Whether the probes that ended say enough.
    fn judge_probes(&self, word: Word, successes: u64, failures: u64, env: &impl Env) {
        let needed = self.settings.successes();
        let (decided, works) = match self.settings.probe_ratio() {
            None => (successes >= needed, true),
            Some(ratio) => {
                let ended = successes + failures;
                // A share: the product of ratio and number may be more than it should be.
                (ended >= needed, failures as f64 / (ended as f64) < ratio)
            }
        };
        match (decided, works) {
            (false, _) => {}
            (true, true) => self.recover(word, env.now(), env),
            (true, false) => self.fall_back(word, None, env),
        }
    }

    /// HalfOpen => Recovering, or Closed
    fn recover(&self, word: Word, now: Time, env: &impl Env) {
        match self.settings.ramp() {
            Some(_) => self.leave(word, State::Recovering, now.as_millis(), now, env),
            None => self.leave(word, State::Closed, 0, now, env),
        };
    }

    /// Counts a call that is in no window.
    fn count(&self, shard: usize, outcome: Outcome) {
        let cell = self.cell(shard);
        match outcome {
            Outcome::Success => cell.past_success(),
            Outcome::Failure(failure) => {
                bump(&cell.failures);
                self.trouble().failed(failure.kind);
            }
            Outcome::Ignored => bump(&cell.ignored),
            Outcome::Abandoned => bump(&cell.abandoned),
        }
    }
}
