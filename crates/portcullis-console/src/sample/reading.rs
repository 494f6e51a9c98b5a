//! What one policy has counted and measures at a moment.

use std::collections::BTreeMap;

use portcullis::{
    metrics::{BUCKETS, Bucket, Measures, Metric, names},
    registry::Policy,
};
use serde::Serialize;

/// Counts of calls by how long they took; the last one is what took longer than all bounds.
pub(crate) type Durations = [u64; BUCKETS.len() + 1];

/// What one policy has counted and measures at a moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    pub(crate) totals: Totals,
    pub(crate) in_flight: Option<f64>,
    pub(crate) limit: Option<f64>,
    pub(crate) queued: Option<f64>,
    pub(crate) slow_ratio: Option<f64>,
    pub(crate) durations: Option<Durations>,
    /// Calls, where they are counted otherwise than by how they ended.
    others: u64,
    /// What an observer counts of attempts: they are shown only where it sees no calls.
    attempts: Attempts,
    counts_calls: bool,
    counts_refusals: bool,
}

#[derive(Clone, Debug, Default)]
struct Attempts {
    ended: BTreeMap<&'static str, u64>,
    durations: Option<Durations>,
}

/// The word for these in the labels of an observer.
const ATTEMPT: &str = "attempt";
/// The outcome that is no call: it was refused.
const REJECTED: &str = "rejected";

/// What was counted since the policy was made.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Totals {
    /// By how they ended.
    calls: BTreeMap<&'static str, u64>,
    /// By reason.
    rejections: BTreeMap<&'static str, u64>,
}

/// Calls, failures and refusals since the policy was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) calls: u64,
    pub(crate) successes: u64,
    pub(crate) failures: u64,
    pub(crate) refused: u64,
}

impl Reading {
    pub(crate) fn of(policy: &dyn Policy) -> Self {
        let mut reading = Self::default();
        policy.measure(&mut reading);
        reading.without_attempts()
    }

    fn without_attempts(mut self) -> Self {
        let Attempts { ended, durations } = std::mem::take(&mut self.attempts);
        if self.totals.calls.values().all(|total| *total == 0) && ended.values().any(|total| *total > 0) {
            (self.totals.calls, self.durations) = (ended, durations);
        }
        self
    }

    /// Whether it counts calls that it lets through; many policies count only those that they refuse.
    pub(crate) fn counts_calls(&self) -> bool {
        self.counts_calls
    }

    /// Whether it counts calls that it refuses.
    pub(crate) fn counts_refusals(&self) -> bool {
        self.counts_refusals
    }

    pub(crate) fn sums(&self) -> Sums {
        let of = |outcome| self.totals.calls.get(outcome).copied().unwrap_or(0);
        let ended = self.totals.calls.iter().filter(|(outcome, _)| **outcome != REJECTED);
        let ended: u64 = ended.map(|(_, total)| total).sum();
        Sums {
            calls: ended.max(self.others),
            successes: of("success"),
            failures: of("failure"),
            refused: self.totals.rejections.values().sum(),
        }
    }
}

impl Measures for Reading {
    fn counter(&mut self, metric: &'static Metric, labels: &[&'static str], total: u64) {
        if metric.name == names::CALLS.name {
            let Some(outcome) = labels.last() else { return };
            let is_attempt = labels.first() == Some(&ATTEMPT);
            let ended = if is_attempt { &mut self.attempts.ended } else { &mut self.totals.calls };
            *ended.entry(outcome).or_default() += total;
            self.counts_calls |= *outcome != REJECTED;
        } else if metric.name == names::REJECTIONS.name {
            self.counts_refusals = true;
            // What was only to be refused went on as a call.
            if let ([_, reason, "enforced"], true) = (labels, total > 0) {
                *self.totals.rejections.entry(reason).or_default() += total;
            }
        } else if [names::HEDGE_CALLS.name, names::CACHE.name, names::COALESCED.name].contains(&metric.name) {
            self.counts_calls = true;
            self.others += total;
        }
    }

    fn gauge(&mut self, metric: &'static Metric, labels: &[&'static str], value: f64) {
        if labels.first() == Some(&ATTEMPT) && self.in_flight.is_some() {
            return;
        }
        let name = metric.name.strip_prefix("portcullis_").unwrap_or(metric.name);
        match name {
            "breaker_slow_ratio" => self.slow_ratio = Some(value),
            "limit" | "pool_threads" => self.limit = Some(value),
            "pool_busy" | "executor_running" => self.in_flight = Some(value),
            "coalesce_waiting" => self.queued = Some(value),
            _ if name.ends_with("_in_flight") => self.in_flight = Some(value),
            _ if name.ends_with("_limit") => self.limit = Some(value),
            _ if name.ends_with("_queued") => self.queued = Some(value),
            _ => {}
        }
    }

    fn buckets(&mut self, metric: &'static Metric, labels: &[&'static str], counted: &[Bucket]) {
        if metric.name == names::CALL_DURATION.name {
            let is_attempt = labels.first() == Some(&ATTEMPT);
            let durations = if is_attempt { &mut self.attempts.durations } else { &mut self.durations };
            let counts = durations.get_or_insert_default();
            counts.iter_mut().zip(counted).for_each(|(count, bucket)| *count += bucket.count);
        }
    }
}
