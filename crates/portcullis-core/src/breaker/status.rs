//! What a breaker looks like at a moment.

use std::time::Duration;

use super::State;
use crate::FailureKind;

/// A breaker at a moment.
///
/// Totals count since the breaker was made; the window's values since it last closed, and while it is not
/// closed, what they were when it opened: nothing, if that was by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The state.
    pub state: State,
    /// How long it has been in this state.
    pub since: Duration,
    /// How long until an open breaker probes; `None` in other states.
    pub retry_in: Option<Duration>,
    /// How many times the state has changed.
    pub transitions: u64,
    /// How many times it opened.
    pub trips: u64,
    /// Calls in the window.
    pub window_calls: u32,
    /// Failures in the window.
    pub window_failures: u32,
    /// Failures since the last success; counted up to what the rules look back at.
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
    /// Results that came after their epoch and changed nothing.
    pub late: u64,
}

impl Status {
    /// The share of calls in the window that failed; 0 when there were none.
    pub fn failure_ratio(&self) -> f64 {
        if self.window_calls == 0 {
            0.0
        } else {
            f64::from(self.window_failures) / f64::from(self.window_calls)
        }
    }
}
