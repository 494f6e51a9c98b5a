//! A breaker as its registry sees it.

use std::time::Duration;

use portcullis_core::{
    ConfigError, PolicyKind,
    breaker::{Mode, State, Status},
    health::Level,
};

use super::policy::Shared;
use crate::{
    clock,
    event::Emitter,
    metrics::Measures,
    registry::{Action, Policy, Snapshot, Value},
    restart::{Kept, Saved},
};

impl Shared {
    pub(super) fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.machine.set_mode(mode, &self.surroundings.world())?;
        self.surroundings.emitter.config_changed();
        Ok(())
    }
}

impl Policy for Shared {
    fn facts(&self) -> Option<portcullis_core::pipeline::Facts> {
        Some((&*self.machine.config()).into())
    }

    fn snapshot(&self) -> Snapshot {
        let status = self.machine.status(clock::now());
        let snapshot = Snapshot {
            name: self.surroundings.name.clone(),
            kind: PolicyKind::Breaker,
            state: status.state.as_str(),
            level: level(&status),
            values: values(&status),
        };
        // Released by hand, it lets calls pass, whatever the registry says.
        if status.state == State::Isolated { self.surroundings.emitter.marked(snapshot) } else { snapshot }
    }

    fn measure(&self, into: &mut dyn Measures) {
        super::measure::measure(self, into);
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Trip, Action::Reset, Action::Isolate, Action::Release, Action::Mode]
    }

    fn mode(&self) -> Option<Mode> {
        Some(self.machine.config().mode)
    }

    fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.set_mode(mode)
    }

    fn trip(&self) {
        self.machine.trip(&self.surroundings.world());
    }

    fn emitter(&self) -> Option<&Emitter> {
        Some(&self.surroundings.emitter)
    }

    fn reset(&self) {
        self.machine.reset(&self.surroundings.world());
        // A stop is ended by a release, and not by having all breakers begin anew.
        if self.surroundings.emitter.is_stopped() {
            self.isolate();
        }
    }

    fn isolate(&self) {
        self.machine.isolate(None, &self.surroundings.world());
    }

    fn isolate_for(&self, time: Duration) -> bool {
        self.machine.isolate(Some(time), &self.surroundings.world());
        true
    }

    fn stop(&self, why: &str) {
        self.surroundings.emitter.stop(why);
        self.isolate();
    }

    fn release(&self) {
        self.surroundings.emitter.release();
        self.machine.release(&self.surroundings.world());
    }

    fn save(&self, into: &mut Saved) {
        self.surroundings.emitter.save(into);
        super::saved::save(&self.machine, into);
    }

    fn resume(&self, from: &Kept<'_>) -> bool {
        if self.surroundings.emitter.resume(from).is_some() {
            self.isolate();
            return true;
        }
        let memory = super::saved::memory(from, &self.machine.config());
        memory.is_some_and(|memory| self.machine.resume(&memory, &self.surroundings.world()))
    }
}

/// What a state means for the health of a service.
fn level(status: &Status) -> Level {
    match status.state {
        State::Closed => Level::Healthy,
        State::Isolated => Level::Degraded,
        State::Open if status.mode != Mode::Shadow => Level::Degraded,
        // Not in its normal state, but calls go.
        _ => Level::Warning,
    }
}

/// The values of a status, by name.
pub(super) fn values(status: &Status) -> Vec<(&'static str, Value)> {
    let mut values = vec![
        ("mode", status.mode.as_str().into()),
        ("failure_ratio", status.failure_ratio().into()),
        ("slow_ratio", status.slow_ratio().into()),
        ("calls", status.window_calls.into()),
        ("successes", status.successes.into()),
        ("failures", status.failures.into()),
        ("ignored", status.ignored.into()),
        ("rejected", status.refused.into()),
        ("bypassed", status.bypassed.into()),
        ("abandoned", status.abandoned.into()),
        ("trips", status.trips.into()),
    ];
    if let Some(recent) = status.recent {
        values.push(("recent_failure_ratio", recent.failure_ratio().into()));
    }
    if let Some(wait) = status.retry_in {
        values.push(("retry_in_ms", (wait.as_millis() as u64).into()));
    }
    if let Some(left) = status.override_ends_in {
        values.push(("override_ends_in_ms", (left.as_millis() as u64).into()));
    }
    if let Some(kind) = status.last_failure {
        values.push(("last_failure", kind.as_str().into()));
    }
    values
}
