//! A keyed breaker as its registry sees it.

use std::time::Duration;

use portcullis_core::{ConfigError, Mode, PolicyKind, breaker::State, health::Level};

use super::{KeyedStatus, policy::Shared};
use crate::{
    event::Emitter,
    keyed::Key,
    metrics::{
        Measures,
        names::{BREAKER_STATE, BREAKER_TRANSITIONS, REJECTIONS, breaker_state_number},
    },
    registry::{Action, Policy, Snapshot, Value},
    restart::{Kept, Saved},
};

impl<K: Key> Policy for Shared<K> {
    fn facts(&self) -> Option<portcullis_core::pipeline::Facts> {
        Some(portcullis_core::pipeline::Facts::from(&*self.common.settings.config()).by_key())
    }

    fn snapshot(&self) -> Snapshot {
        let status = self.status();
        let snapshot = Snapshot {
            name: self.common.name.clone(),
            kind: PolicyKind::Breaker,
            state: status.worst().as_str(),
            level: level(&status),
            values: values(&status),
        };
        // Released by hand, it lets calls pass, whatever the registry says.
        if self.common.gate.state() == State::Isolated {
            self.common.emitter.marked(snapshot)
        } else {
            snapshot
        }
    }

    /// No series per key: their number is up to who sends the requests.
    fn measure(&self, into: &mut dyn Measures) {
        let (common, kind) = (&self.common, PolicyKind::Breaker.as_str());
        let (refused, spared) = (common.refused.counts(), common.spared.counts());
        for state in [State::Open, State::HalfOpen, State::Recovering, State::Isolated] {
            into.counter(&REJECTIONS, &[kind, state.as_str(), "enforced"], refused[state as usize]);
            into.counter(&REJECTIONS, &[kind, state.as_str(), "shadow"], spared[state as usize]);
        }
        for (from, to, times) in common.emitter.transitions() {
            into.counter(&BREAKER_TRANSITIONS, &[from.as_str(), to.as_str()], times);
        }
        let status = self.status();
        into.gauge(&BREAKER_STATE, &[], breaker_state_number(status.worst()).into());
        self.keys.measure(into);
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Reset, Action::Isolate, Action::Release, Action::Mode]
    }

    fn mode(&self) -> Option<Mode> {
        Some(self.common.settings.config().mode)
    }

    fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.set_mode(mode)
    }

    fn emitter(&self) -> Option<&Emitter> {
        Some(&self.common.emitter)
    }

    fn reset(&self) {
        self.reset();
        // A stop is ended by a release, and not by having all breakers begin anew.
        if self.common.emitter.is_stopped() {
            self.isolate(None);
        }
    }

    fn isolate(&self) {
        self.isolate(None);
    }

    fn isolate_for(&self, time: Duration) -> bool {
        self.isolate(Some(time));
        true
    }

    fn stop(&self, why: &str) {
        self.common.emitter.stop(why);
        self.isolate(None);
    }

    fn release(&self) {
        self.common.emitter.release();
        self.release();
    }

    fn save(&self, into: &mut Saved) {
        self.save_keys(into);
    }

    fn resume(&self, from: &Kept<'_>) -> bool {
        self.resume_keys(from)
    }
}

/// One key of many that is open is no matter for the whole service.
fn level(status: &KeyedStatus) -> Level {
    let refusing = status.in_state(State::Open) + status.in_state(State::Isolated);
    let others_open = matches!(status.overflow.state, State::Open | State::Isolated);
    if status.isolated || others_open || 2 * refusing > status.keys as u64 {
        return Level::Degraded;
    }
    let is_normal = status.abnormal() == 0 && status.overflow.state == State::Closed;
    if is_normal { Level::Healthy } else { Level::Warning }
}

fn values(status: &KeyedStatus) -> Vec<(&'static str, Value)> {
    vec![
        ("mode", status.overflow.mode.as_str().into()),
        ("entries", (status.keys as u64).into()),
        ("max_keys", (status.max_keys as u64).into()),
        ("not_closed", status.abnormal().into()),
        ("open", status.in_state(State::Open).into()),
        ("half_open", status.in_state(State::HalfOpen).into()),
        ("recovering", status.in_state(State::Recovering).into()),
        ("isolated", status.in_state(State::Isolated).into()),
        ("evicted_idle", status.evictions.idle.into()),
        ("evicted_full", status.evictions.full.into()),
        ("overflows", status.overflows.into()),
        ("overflow_state", status.overflow.state.as_str().into()),
        ("rejected", status.refused.into()),
        ("bypassed", status.bypassed.into()),
    ]
}
