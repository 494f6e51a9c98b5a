//! What a breaker looks like at a moment.

use std::time::Duration;

use super::{Mode, State, transition::ByState};
use crate::FailureKind;

/// What a window holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WindowStatus {
    /// Calls.
    pub calls: u32,
    /// Those that failed.
    pub failures: u32,
    /// Those that were slow, whether they failed or not.
    pub slow: u32,
}

impl WindowStatus {
    /// The share of calls that failed; 0 when there were none.
    pub fn failure_ratio(&self) -> f64 {
        share(self.failures, self.calls)
    }

    /// The share of calls that were slow; 0 when there were none.
    pub fn slow_ratio(&self) -> f64 {
        share(self.slow, self.calls)
    }
}

fn share(part: u32, whole: u32) -> f64 {
    if whole == 0 { 0.0 } else { f64::from(part) / f64::from(whole) }
}

/// The windows at a moment.
#[derive(Clone, Copy, Default)]
pub(crate) struct Recent {
    pub(crate) calls: WindowStatus,
    pub(crate) recent: Option<WindowStatus>,
    pub(crate) consecutive_failures: u64,
    pub(crate) last_failure: Option<FailureKind>,
    /// All failures that the windows were told of, by kind.
    pub(crate) by_kind: Kinds,
}

pub(crate) type Kinds = [u64; FailureKind::ALL.len()];

impl Recent {
    /// All failures, with those that the windows were not told of.
    pub(crate) fn failures_by_kind(&self, others: Option<Kinds>) -> Kinds {
        let mut sum = self.by_kind;
        for (sum, other) in sum.iter_mut().zip(others.unwrap_or_default()) {
            *sum += other;
        }
        sum
    }
}

/// A breaker at a moment.
///
/// Totals count since the breaker was made; the windows' values since it last closed, and while it is not
/// closed, what they were when it opened: nothing, if that was by hand.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Status {
    /// The state.
    pub state: State,
    /// What happens to calls that are to be refused.
    pub mode: Mode,
    /// How long it has been in this state.
    pub since: Duration,
    /// How long until an open breaker probes; `None` in other states.
    pub retry_in: Option<Duration>,
    /// How long until an override ends by itself; `None` when it does not, or there is none.
    pub override_ends_in: Option<Duration>,
    /// How many times the state has changed; with it, which epoch this is.
    pub transitions: u64,
    /// How many times it opened.
    pub trips: u64,
    /// How many times in a row it opened without a stable close between.
    pub trips_in_a_row: u32,
    /// Calls in the window of the last calls.
    pub window_calls: u32,
    /// Failures in that window.
    pub window_failures: u32,
    /// Slow calls in that window; counted only when there is a rule for them.
    pub window_slow: u32,
    /// The window of the last seconds, if there is one and the breaker is closed.
    pub recent: Option<WindowStatus>,
    /// Failures since the last success.
    pub consecutive_failures: u32,
    /// Probes in flight.
    pub probes_in_flight: u32,
    /// Probes that succeeded since it became half-open.
    pub probe_successes: u32,
    /// The kind of the last failure that counted.
    pub last_failure: Option<FailureKind>,
    /// Successful calls.
    pub successes: u64,
    /// Failed calls.
    pub failures: u64,
    /// Calls that said nothing about the dependency.
    pub ignored: u64,
    /// Calls that were given up before they ended.
    pub abandoned: u64,
    /// Calls that were refused.
    pub refused: u64,
    /// Calls that passed although they were to be refused.
    pub bypassed: u64,
    /// Results that came after their epoch and changed nothing.
    pub late: u64,
    pub(crate) refused_by_state: ByState,
    pub(crate) bypassed_by_state: ByState,
    pub(crate) failures_by_kind: Kinds,
}

impl Status {
    /// The share of the last calls that failed; 0 when there were none.
    pub fn failure_ratio(&self) -> f64 {
        share(self.window_failures, self.window_calls)
    }

    /// Calls that were refused in this state.
    pub fn refused_in(&self, state: State) -> u64 {
        self.refused_by_state[state as usize]
    }

    /// Calls that passed although this state was to refuse them.
    pub fn bypassed_in(&self, state: State) -> u64 {
        self.bypassed_by_state[state as usize]
    }

    /// Failed calls of this kind.
    pub fn failures_of(&self, kind: FailureKind) -> u64 {
        self.failures_by_kind[kind.index()]
    }

    /// The share of the last calls that were slow; 0 when there were none, and without a rule for them.
    pub fn slow_ratio(&self) -> f64 {
        share(self.window_slow, self.window_calls)
    }
}
