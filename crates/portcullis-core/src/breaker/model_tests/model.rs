//! What the documentation says, computed from the whole history by nothing clever.

use std::time::Duration;

use super::steps::Order;
use crate::{
    BreakerEvidence, FailureKind, Outcome, Time,
    breaker::{Config, Refusal, State},
};

/// What the documentation says, word by word.
#[derive(Clone)]
pub(super) struct Model {
    pub(super) config: Config,
    pub(super) state: State,
    pub(super) epoch: u64,
    pub(super) since: Time,
    /// Open: when it may probe. Half-open: since when it probes.
    pub(super) time: Time,
    /// How every call of this epoch ended that counted: `true` is a failure.
    pub(super) history: Vec<bool>,
    /// Leases of this epoch that are held: of which admission, until when.
    pub(super) leases: Vec<(usize, Time)>,
    pub(super) probe_successes: u32,
    pub(super) admissions: usize,
    pub(super) evidence: (u32, u32),
    pub(super) last_failure: Option<FailureKind>,
    pub(super) seen: Seen,
}

/// The totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) transitions: u64,
    pub(super) trips: u64,
    pub(super) successes: u64,
    pub(super) failures: u64,
    pub(super) ignored: u64,
    pub(super) abandoned: u64,
    pub(super) refused: u64,
    pub(super) late: u64,
}

/// An admission as the model knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) number: usize,
    pub(super) epoch: u64,
    pub(super) probe: bool,
    pub(super) started: Time,
}

/// As the breaker keeps its times.
fn whole_millis(time: Time) -> Time {
    Time::from_millis(time.as_millis())
}

impl Model {
    pub(super) fn new(config: Config) -> Self {
        Self {
            config,
            state: State::Closed,
            epoch: 0,
            since: Time::ORIGIN,
            time: Time::ORIGIN,
            history: Vec::new(),
            leases: Vec::new(),
            probe_successes: 0,
            admissions: 0,
            evidence: (0, 0),
            last_failure: None,
            seen: Seen::default(),
        }
    }

    fn go(&mut self, state: State, now: Time) {
        self.state = state;
        self.epoch += 1;
        self.since = now;
        self.time = match state {
            State::Open => whole_millis(now + self.config.open_for),
            _ => whole_millis(now),
        };
        self.history.clear();
        self.leases.clear();
        self.probe_successes = 0;
        self.seen.transitions += 1;
        self.seen.trips += u64::from(state == State::Open);
    }

    pub(super) fn admit(&mut self, now: Time) -> Result<Call, Refusal> {
        loop {
            match self.state {
                State::Closed => return Ok(self.call(false, now)),
                State::Isolated => return Err(self.refuse(None)),
                State::Open if now < self.time => return Err(self.refuse(Some(self.time.since(now)))),
                State::Open => self.go(State::HalfOpen, now),
                State::HalfOpen => {
                    if let Some(max) = self.config.max_half_open.filter(|&max| now.since(self.time) >= max) {
                        self.go(State::Open, self.time + max);
                    } else if self.leases.len() < self.config.permits as usize {
                        return Ok(self.call(true, now));
                    } else {
                        let first = self.leases.iter().map(|lease| lease.1).min().unwrap();
                        if first > now {
                            return Err(self.refuse(Some(first.since(now))));
                        }
                        self.seen.failures += 1;
                        self.last_failure = Some(FailureKind::Timeout);
                        self.go(State::Open, first);
                    }
                }
            }
        }
    }

    fn call(&mut self, probe: bool, now: Time) -> Call {
        let number = self.admissions;
        self.admissions += 1;
        if probe {
            self.leases.push((number, whole_millis(now + self.config.lease)));
        }
        Call { number, epoch: self.epoch, probe, started: now }
    }

    fn refuse(&mut self, retry_after: Option<Duration>) -> Refusal {
        self.seen.refused += 1;
        let (failures, calls) = self.evidence;
        let evidence =
            BreakerEvidence { state: self.state, failures, calls, last_failure: self.last_failure };
        Refusal { evidence, retry_after }
    }

    pub(super) fn settle(&mut self, call: Call, outcome: Outcome, now: Time) {
        let hung = self.config.hung_after.is_some_and(|age| now.since(call.started) >= age);
        let outcome = match outcome {
            Outcome::Abandoned if hung => Outcome::Failure(FailureKind::Timeout),
            other => other,
        };
        if call.epoch != self.epoch {
            self.seen.late += 1;
            return;
        }
        self.leases.retain(|lease| lease.0 != call.number);
        match outcome {
            Outcome::Success => self.succeeded(call, now),
            Outcome::Failure(kind) => self.failed(call, kind, now),
            Outcome::Ignored => self.seen.ignored += 1,
            Outcome::Abandoned => self.seen.abandoned += 1,
        }
    }

    fn succeeded(&mut self, call: Call, now: Time) {
        self.seen.successes += 1;
        if !call.probe {
            return self.history.push(false);
        }
        self.probe_successes += 1;
        if self.probe_successes >= self.config.successes {
            self.go(State::Closed, now);
        }
    }

    fn failed(&mut self, call: Call, kind: FailureKind, now: Time) {
        self.seen.failures += 1;
        self.last_failure = Some(kind);
        if call.probe {
            return self.go(State::Open, now);
        }
        self.history.push(true);
        if self.meets_a_rule() {
            self.evidence = self.window();
            self.go(State::Open, now);
        }
    }

    fn meets_a_rule(&self) -> bool {
        let (failures, calls) = self.window();
        let in_a_row = self.config.consecutive_failures.is_some_and(|k| self.in_a_row() >= k as usize);
        let share = f64::from(failures) / f64::from(calls);
        let enough = self.history.len() >= self.config.minimum_calls as usize;
        in_a_row || (enough && self.config.failure_ratio.is_some_and(|ratio| share >= ratio))
    }

    /// What the status shows of the window.
    pub(super) fn window_shown(&self) -> (u32, u32) {
        if self.state == State::Closed { self.window() } else { self.evidence }
    }

    /// Failures and calls among the last `window` calls.
    pub(super) fn window(&self) -> (u32, u32) {
        let start = self.history.len().saturating_sub(self.config.window as usize);
        let last = &self.history[start..];
        (last.iter().filter(|&&failed| failed).count() as u32, last.len() as u32)
    }

    pub(super) fn in_a_row(&self) -> usize {
        self.history.iter().rev().take_while(|&&failed| failed).count()
    }

    /// When the current state, or a lease, is over.
    pub(super) fn next_end(&self) -> Option<Time> {
        let first_lease = self.leases.iter().map(|lease| lease.1).min();
        let max = self.config.max_half_open.map(|max| self.time + max);
        match self.state {
            State::Open => Some(self.time),
            State::HalfOpen => first_lease.into_iter().chain(max).min(),
            _ => None,
        }
    }

    pub(super) fn by_hand(&mut self, order: Order, now: Time) {
        let isolated = self.state == State::Isolated;
        match order {
            Order::Trip if self.state == State::Open => {
                self.time = self.time.max(whole_millis(now + self.config.open_for));
            }
            Order::Trip if !isolated => {
                self.evidence = (0, 0);
                self.go(State::Open, now);
            }
            Order::Isolate if !isolated => {
                self.evidence = (0, 0);
                self.go(State::Isolated, now);
            }
            Order::Reset => self.go(State::Closed, now),
            Order::Release if isolated => self.go(State::Closed, now),
            Order::Close if matches!(self.state, State::Open | State::HalfOpen) => {
                self.go(State::Closed, now);
            }
            _ => {}
        }
    }
}
