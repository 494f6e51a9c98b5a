//! What a breaker does when it is not closed, and when a call did not succeed.

use std::time::Duration;

use super::{
    Admission, Machine, Refusal, State,
    counters::bump,
    machine::Kind,
    probe::Lease,
    state::{Epoch, Word},
};
use crate::{BreakerEvidence, FailureKind, Outcome, Time, sync::lock};

/// A half-open breaker that should be open by now.
pub(super) struct Overdue {
    since: Time,
    /// For a probe whose lease ran out; that is the probe's failure.
    hung: bool,
}

impl Machine {
    #[cold]
    #[inline(never)]
    pub(super) fn is_refusing_slow(&self, word: Word, now: Time) -> bool {
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
    pub(super) fn admit_slow(&self, shard: usize, mut word: Word, now: Time) -> Result<Admission, Refusal> {
        loop {
            let verdict = match word.state() {
                State::Closed => return Ok(self.call(word.epoch(), now)),
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
    pub(super) fn overdue(&self, word: Word, now: Time) -> Option<Overdue> {
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
    pub(super) fn reopen(&self, shard: usize, word: Word, Overdue { since, hung }: Overdue) {
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
    pub(super) fn settle_slow(
        &self,
        shard: usize,
        admission: Admission,
        outcome: Outcome,
        now: impl Fn() -> Time,
    ) {
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
            self.keep_evidence(counts);
            self.transition(word, State::Open, self.open_until(now), now);
            log.clear();
        }
    }

    pub(super) fn refusal(&self, shard: usize, state: State, retry_after: Option<Duration>) -> Refusal {
        bump(&self.counters.cell(shard).refused);
        let counts = self.evidence();
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

    pub(super) fn open_until(&self, from: Time) -> u64 {
        (from + self.config.open_for).as_millis()
    }
}
