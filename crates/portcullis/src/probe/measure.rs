//! A probe in numbers, and in the words of the health document.

use std::time::Duration;

use portcullis_core::{PolicyKind, health::Level};

use super::{
    policy::Shared,
    state::{State, level},
};
use crate::{
    check::Outcome,
    clock,
    event::Emitter,
    metrics::{
        Measures,
        names::{HEALTH, HEALTH_CHECK_DURATION, HEALTH_CHECKS},
    },
    registry::{Policy, Snapshot, Value, millis},
};

/// A probe at a moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ProbeStatus {
    /// Whether the dependency counts as up; it does to begin with.
    pub up: bool,
    /// Whether it asks: it was started, and its runtime is still there.
    pub started: bool,
    /// Probes that were made.
    pub probes: u64,
    /// Results in a row that contradict `up`: of probes, and of calls that [take part](super::PassiveLayer).
    pub against: u32,
    /// How long ago the last probe ended.
    pub age: Option<Duration>,
    /// How long the last probe took.
    pub took: Option<Duration>,
    /// What the last probe failed with, or by what it was refused; or what it said.
    pub error: Option<String>,
}

impl Shared {
    pub(super) fn status(&self) -> ProbeStatus {
        let started = self.is_asking();
        let state = self.state();
        ProbeStatus {
            up: state.is_up(),
            started,
            probes: state.outcomes.iter().sum(),
            against: state.against(),
            age: state.at.map(|at| clock::now().since(at)),
            took: state.took.back().copied(),
            error: state.message().map(|message| message.to_string()),
        }
    }
}

impl Policy for Shared {
    fn snapshot(&self) -> Snapshot {
        let (status, critical) = (self.status(), self.config.load().critical);
        let (state, level) = match (status.started, status.up) {
            (true, true) => ("up", Level::Healthy),
            (false, true) => ("stopped", Level::Warning),
            // By calls that take part, though nobody asks; or when it was asked last.
            (_, false) => ("down", level(false, critical)),
        };
        let mut values = vec![
            ("critical", critical.into()),
            ("consecutive_failures", self.state().failures.into()),
            ("probes", status.probes.into()),
        ];
        if let (Some(age), Some(took)) = (status.age, status.took) {
            values.push(("age_ms", (age.as_millis() as u64).into()));
            values.push(("duration_ms", millis(took).into()));
        }
        if let Some(error) = status.error {
            values.push(("message", Value::Text(error)));
        }
        Snapshot { name: self.emitter.name().clone(), kind: PolicyKind::Probe, state, level, values }
    }

    fn measure(&self, into: &mut dyn Measures) {
        let level = self.snapshot().level;
        let (outcomes, took) = {
            let State { outcomes, took, .. } = &*self.state();
            (*outcomes, took.iter().map(Duration::as_secs_f64).collect::<Vec<_>>())
        };
        into.gauge(&HEALTH, &[], f64::from(level.number()));
        into.histogram(&HEALTH_CHECK_DURATION, &[], outcomes.iter().sum(), &took);
        for (outcome, total) in Outcome::ALL.iter().zip(outcomes) {
            into.counter(&HEALTH_CHECKS, &[outcome.as_str()], total);
        }
    }

    fn emitter(&self) -> Option<&Emitter> {
        Some(&self.emitter)
    }
}
