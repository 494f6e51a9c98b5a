//! What a probe has learned.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use portcullis_core::{
    Time,
    health::{Level, Thresholds, Tracker},
};

use crate::check::{Answer, Outcome};

/// How many of the last times are kept, for metrics that are published now and then.
const KEPT: usize = 32;

pub(super) struct State {
    tracker: Tracker,
    /// When the last probe ended.
    pub(super) at: Option<Time>,
    /// How long the last probes took.
    pub(super) took: VecDeque<Duration>,
    message: Option<Arc<str>>,
    /// The last probe found it well.
    well: bool,
    /// Failures in a row.
    pub(super) failures: u64,
    pub(super) outcomes: [u64; Outcome::ALL.len()],
}

/// The level of a dependency.
pub(super) const fn level(up: bool, critical: bool) -> Level {
    match (up, critical) {
        (true, _) => Level::Healthy,
        (false, true) => Level::Critical,
        (false, false) => Level::Degraded,
    }
}

impl State {
    pub(super) fn new(tracker: Tracker) -> Self {
        let (at, took, message) = (None, VecDeque::new(), None);
        Self { tracker, at, took, message, well: false, failures: 0, outcomes: [0; Outcome::ALL.len()] }
    }

    /// What an answer says of the dependency; `None` for nothing.
    pub(super) fn says(answer: &Answer) -> Option<bool> {
        match answer.outcome {
            Outcome::Success => Some(answer.level < Level::Critical),
            Outcome::Refused => None,
            Outcome::Failure | Outcome::Timeout | Outcome::Panic => Some(false),
        }
    }

    /// Notes what a probe has found.
    pub(super) fn probed(&mut self, answer: &Answer, now: Time, took: Duration) {
        self.at = Some(now);
        self.message.clone_from(&answer.message);
        self.well = Self::says(answer) == Some(true);
        let at = Outcome::ALL.iter().position(|known| *known == answer.outcome).unwrap_or(0);
        self.outcomes[at] += 1;
        if self.took.len() >= KEPT {
            self.took.pop_front();
        }
        self.took.push_back(took);
    }

    /// Takes a result into account; says `Some(up)` when it changes the judgement.
    pub(super) fn take(&mut self, success: bool) -> Option<bool> {
        self.failures = if success { 0 } else { self.failures.saturating_add(1) };
        self.tracker.record(success)
    }

    pub(super) fn is_up(&self) -> bool {
        self.tracker.is_up()
    }

    pub(super) fn against(&self) -> u32 {
        self.tracker.against()
    }

    /// Whether a success could change anything.
    pub(super) fn is_troubled(&self) -> bool {
        !self.is_up() || self.against() > 0 || self.failures > 0
    }

    /// Whether there is time until the next probe.
    pub(super) fn is_calm(&self) -> bool {
        self.is_up() && self.well
    }

    /// What the last probe said.
    pub(super) fn message(&self) -> Option<Arc<str>> {
        self.message.clone()
    }

    pub(super) fn set_thresholds(&mut self, thresholds: Thresholds) {
        self.tracker.set_thresholds(thresholds);
    }
}
