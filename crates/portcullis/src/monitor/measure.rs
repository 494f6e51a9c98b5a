//! A check in numbers, and in the words of the health document.

use portcullis_core::PolicyKind;

use super::check::{Check, Past};
use crate::{
    check::Outcome,
    event::Emitter,
    metrics::{
        Measures,
        names::{HEALTH, HEALTH_CHECK_DURATION, HEALTH_CHECKS},
    },
    registry::{Policy, Snapshot, Value, millis},
};

impl Policy for Check {
    fn snapshot(&self) -> Snapshot {
        let status = self.status();
        let state = match (status.started, status.outcome) {
            (false, _) => "stopped",
            (true, None) => "pending",
            (true, Some(outcome)) => outcome.as_str(),
        };
        let mut values = vec![
            ("critical", status.critical.into()),
            ("consecutive_failures", status.consecutive_failures.into()),
        ];
        if let (Some(age), Some(took)) = (status.age, status.took) {
            values.push(("age_ms", (age.as_millis() as u64).into()));
            values.push(("duration_ms", millis(took).into()));
        }
        if let Some(message) = status.message {
            values.push(("message", Value::Text(message.to_string())));
        }
        Snapshot { name: status.name, kind: PolicyKind::Check, state, level: status.level, values }
    }

    fn measure(&self, into: &mut dyn Measures) {
        let level = self.status().level;
        let (outcomes, took) = {
            let state = self.state();
            let took: Vec<f64> = state.history.iter().map(|Past { took, .. }| took.as_secs_f64()).collect();
            (state.outcomes, took)
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
