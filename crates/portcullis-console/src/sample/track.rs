//! What one policy counted in the last minutes.

use std::{
    collections::VecDeque,
    sync::{Arc, Weak},
};

use portcullis::{Name, registry::Policy};
use serde::Serialize;

use super::{
    RECENT, STEP, STEPS,
    reading::{Durations, Reading, Sums},
};

/// What one policy counted in the last minutes.
pub(super) struct Track {
    policy: Weak<dyn Policy>,
    last: Sums,
    steps: VecDeque<Step>,
    /// The name by which these are shown, of a policy that knows how long calls take.
    observes: Option<Name>,
    /// How long calls had taken at the last few looks, the oldest first.
    durations: VecDeque<Durations>,
}

/// What was counted from one look to the next.
#[derive(Clone, Copy, Debug, Default)]
struct Step {
    calls: u32,
    successes: u32,
    failures: u32,
    refused: u32,
}

/// Rates of the last seconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent {
    pub(crate) calls_per_s: f64,
    pub(crate) refused_per_s: f64,
    pub(crate) failure_ratio: Option<f64>,
}

/// Counts by step, the oldest first.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct History {
    step_s: u64,
    calls: Vec<u32>,
    failures: Vec<u32>,
    refused: Vec<u32>,
}

impl History {
    /// Of a policy that was not looked at yet.
    pub(super) fn empty() -> Self {
        Self { step_s: STEP.as_secs(), calls: Vec::new(), failures: Vec::new(), refused: Vec::new() }
    }
}

fn since(now: u64, before: u64) -> u32 {
    u32::try_from(now.saturating_sub(before)).unwrap_or(u32::MAX)
}

impl Track {
    /// Of a policy that is looked at for the first time: what it counted before was not in these minutes, or who knows.
    pub(super) fn new(policy: &Arc<dyn Policy>, reading: &Reading) -> Self {
        let durations = reading.durations.into_iter().collect();
        let (policy, last, steps) = (Arc::downgrade(policy), reading.sums(), VecDeque::new());
        Self { policy, last, steps, observes: None, durations }
    }

    pub(super) fn is_gone(&self) -> bool {
        self.policy.strong_count() == 0
    }

    /// Its name, and how long calls took in the last seconds, if it knows.
    pub(super) fn observed(&self) -> Option<(Name, Durations)> {
        Some((self.observes.clone()?, self.took()?))
    }

    pub(super) fn add(&mut self, reading: &Reading, name: Option<Name>) {
        self.observes = name;
        let (now, before) = (reading.sums(), std::mem::replace(&mut self.last, reading.sums()));
        if self.steps.len() >= STEPS {
            self.steps.pop_front();
        }
        self.steps.push_back(Step {
            calls: since(now.calls, before.calls),
            successes: since(now.successes, before.successes),
            failures: since(now.failures, before.failures),
            refused: since(now.refused, before.refused),
        });
        if let Some(durations) = reading.durations {
            if self.durations.len() > RECENT {
                self.durations.pop_front();
            }
            self.durations.push_back(durations);
        }
    }

    pub(super) fn recent(&self) -> Recent {
        let steps = self.steps.iter().rev().take(RECENT);
        let seconds = (steps.len() as u64 * STEP.as_secs()).max(1) as f64;
        // Of whole numbers: no numbers at all have the sum -0.0.
        let sum = |of: fn(&Step) -> u32| steps.clone().map(|step| u64::from(of(step))).sum::<u64>() as f64;
        let (successes, failures) = (sum(|step| step.successes), sum(|step| step.failures));
        let judged = successes + failures;
        Recent {
            calls_per_s: sum(|step| step.calls) / seconds,
            refused_per_s: sum(|step| step.refused) / seconds,
            failure_ratio: (judged > 0.0).then(|| failures / judged),
        }
    }

    /// How long calls took in the last seconds.
    fn took(&self) -> Option<Durations> {
        let (first, last) = (self.durations.front()?, self.durations.back()?);
        Some(std::array::from_fn(|at| last[at].saturating_sub(first[at])))
    }

    pub(super) fn history(&self) -> History {
        let each = |of: fn(&Step) -> u32| self.steps.iter().map(of).collect();
        History {
            step_s: STEP.as_secs(),
            calls: each(|step| step.calls),
            failures: each(|step| step.failures),
            refused: each(|step| step.refused),
        }
    }
}
