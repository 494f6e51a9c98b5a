//! What there is to see.

use super::{Live, Model, State, WindowStatus};
use crate::{Time, breaker::Status};

impl Model {
    pub(crate) fn status(&self, live: &Live, now: Time) -> Status {
        let rules = self.rules(live);
        let window = if self.keeps_windows() { self.last_calls(rules) } else { self.tripped() };
        let WindowStatus { calls, failures, slow } = window;
        let recent = rules.time_window.filter(|_| self.keeps_windows());
        let probes: Vec<_> = self.probes_of_epoch().collect();
        let count = |of: fn(&super::Probe) -> bool| probes.iter().filter(|probe| of(probe)).count() as u32;
        Status {
            state: self.state,
            mode: live.config.mode,
            since: now.since(self.since),
            retry_in: (self.state == State::Open).then(|| self.time.since(now)),
            override_ends_in: self.override_end().map(|end| end.since(now)),
            transitions: self.seen.transitions,
            trips: self.seen.trips,
            trips_in_a_row: self.in_a_row,
            window_calls: calls,
            window_failures: failures,
            window_slow: slow,
            recent: recent.map(|rule| self.recent(rule, now)),
            consecutive_failures: self.in_a_row_failed(),
            probes_in_flight: count(|probe| !probe.back),
            probe_successes: count(|probe| probe.worked == Some(true)),
            last_failure: self.last_failure,
            successes: self.seen.successes,
            failures: self.seen.failures,
            ignored: self.seen.ignored,
            abandoned: self.seen.abandoned,
            refused: self.seen.refused,
            bypassed: self.seen.bypassed,
            late: self.seen.late,
            refused_by_state: self.seen.refused_by_state,
            bypassed_by_state: self.seen.bypassed_by_state,
            failures_by_kind: self.seen.failures_by_kind,
        }
    }
}
