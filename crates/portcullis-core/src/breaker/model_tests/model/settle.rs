//! What the end of a call leads to.

use super::{Call, Kind, Model, Scene, State, Why};
use crate::{Failure, FailureKind, Outcome, Time, breaker::Env};

impl Model {
    pub(crate) fn settle(&mut self, call: Call, outcome: Outcome, scene: Scene<'_>) {
        let (outcome, slow) = judge_age(call, outcome, scene);
        match call.kind {
            Kind::Untracked => {}
            Kind::Bypass => self.count(outcome),
            _ if call.epoch != self.epoch => self.seen.late += 1,
            Kind::Plain | Kind::Timed => self.call_ended(outcome, slow, scene),
            Kind::Probe(_) | Kind::Ramp => self.trial_ended(call, outcome, slow, scene),
        }
    }

    fn call_ended(&mut self, outcome: Outcome, slow: bool, scene: Scene<'_>) {
        self.count(outcome);
        match outcome {
            Outcome::Success => self.succeeded(slow, scene),
            Outcome::Failure(failure) => self.failed(&failure, slow, scene),
            Outcome::Ignored | Outcome::Abandoned => {}
        }
    }

    fn trial_ended(&mut self, call: Call, outcome: Outcome, slow: bool, scene: Scene<'_>) {
        // A probe that is slow has failed.
        let outcome = match outcome {
            Outcome::Success if slow => Failure::new(FailureKind::Slow).into(),
            other => other,
        };
        self.count(outcome);
        let failure = match outcome {
            Outcome::Failure(failure) => Some(failure),
            _ => None,
        };
        if let Some(failure) = failure {
            self.last_failure = Some(failure.kind);
            let others_decide = call.is_probe() && scene.live.config.probe_ratio.is_some();
            self.advise(&failure, others_decide, scene);
        }
        let worked = match outcome {
            Outcome::Success => Some(true),
            Outcome::Failure(_) => Some(false),
            _ => None,
        };
        match call.kind {
            Kind::Probe(number) => {
                (self.probes[number].back, self.probes[number].worked) = (true, worked);
                if let Some(worked) = worked {
                    self.judge_probes(worked, scene);
                }
            }
            _ => self.judge_ramp(worked, scene),
        }
    }

    fn judge_probes(&mut self, worked: bool, scene: Scene<'_>) {
        let config = &scene.live.config;
        let count = |worked| self.probes_of_epoch().filter(|probe| probe.worked == Some(worked)).count();
        let (successes, failures) = (count(true), count(false));
        let (decided, works) = match config.probe_ratio {
            None => (!worked || successes >= config.successes as usize, worked),
            Some(ratio) => {
                let ended = successes + failures;
                (ended >= config.successes as usize, (failures as f64 / ended as f64) < ratio)
            }
        };
        let now = scene.world.now();
        match (decided, works, config.ramp) {
            (false, ..) => {}
            (true, false, _) => self.open(Why::Still, now, scene),
            (true, true, None) => self.go(State::Closed, Time::ORIGIN, now, scene),
            (true, true, Some(_)) => self.go(State::Recovering, now, now, scene),
        }
    }

    fn judge_ramp(&mut self, worked: Option<bool>, scene: Scene<'_>) {
        let now = scene.world.now();
        let over = scene.live.config.ramp.is_none_or(|ramp| now.since(self.time) >= ramp);
        match worked {
            Some(true) if over => self.go(State::Closed, Time::ORIGIN, now, scene),
            Some(false) => self.open(Why::Still, now, scene),
            _ => {}
        }
    }

    fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Success => self.seen.successes += 1,
            Outcome::Failure(failure) => self.count_failure(failure.kind),
            Outcome::Ignored => self.seen.ignored += 1,
            Outcome::Abandoned => self.seen.abandoned += 1,
        }
    }

    pub(super) fn count_failure(&mut self, kind: FailureKind) {
        self.seen.failures += 1;
        self.seen.failures_by_kind[kind.index()] += 1;
    }
}

/// What the duration of a call says, of those whose start is known.
fn judge_age(call: Call, outcome: Outcome, Scene { live, world, .. }: Scene<'_>) -> (Outcome, bool) {
    if !matches!(call.kind, Kind::Timed | Kind::Probe(_) | Kind::Ramp) {
        return (outcome, false);
    }
    let age = world.now().since(call.started);
    let slow = live.config.slow_calls.is_some_and(|rule| age >= rule.after);
    let hung = live.config.hung_after.is_some_and(|limit| age >= limit);
    match outcome {
        Outcome::Abandoned if hung => (Failure::new(FailureKind::Timeout).into(), slow),
        other => (other, slow),
    }
}
