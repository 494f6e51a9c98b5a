//! A retry policy at a moment, and what it counts.

use std::{
    collections::BTreeMap,
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use portcullis_core::{FailureKind, Mode};

use super::Stop;

/// What a retry policy has counted since it was made.
#[derive(Default)]
pub(crate) struct Counts {
    retries: [AtomicU64; FailureKind::ALL.len()],
    stops: [AtomicU64; Stop::ALL.len()],
    recovered: AtomicU64,
}

/// A retry policy at a moment.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct RetryStatus {
    /// Attempts after the first.
    pub retries: u64,
    /// Calls that succeeded after at least one retry.
    pub recovered: u64,
    /// Calls that failed after all their attempts.
    pub exhausted: u64,
    /// Retries that the budget did not allow.
    pub over_budget: u64,
    /// Retries that would have come too late.
    pub over_time: u64,
    /// Whole retries in the budget.
    pub budget_available: u64,
    /// Whether calls are retried, or only counted.
    pub mode: Mode,
    by_failure: [u64; FailureKind::ALL.len()],
    by_stop: [u64; Stop::ALL.len()],
}

impl RetryStatus {
    /// Attempts after the first that were made because of a failure of this kind.
    pub fn retries_after(&self, kind: FailureKind) -> u64 {
        self.by_failure[kind as usize - 1]
    }

    /// Failed calls that were not made again for this reason.
    pub fn stopped(&self, stop: Stop) -> u64 {
        self.by_stop[stop as usize]
    }

    /// Attempts after the first by the kind of failure that they were made for; those that there were.
    pub fn retries_by_kind(&self) -> impl Iterator<Item = (FailureKind, u64)> {
        let counted = FailureKind::ALL.map(|kind| (kind, self.retries_after(kind)));
        counted.into_iter().filter(|&(_, retries)| retries > 0)
    }

    /// Failed calls that were not made again by the reason for it; those that there were.
    pub fn stopped_by_reason(&self) -> impl Iterator<Item = (Stop, u64)> {
        let counted = Stop::ALL.map(|stop| (stop, self.stopped(stop)));
        counted.into_iter().filter(|&(_, calls)| calls > 0)
    }
}

impl fmt::Debug for RetryStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let retries: BTreeMap<_, _> = self.retries_by_kind().collect();
        let stopped: Vec<_> = self.stopped_by_reason().collect();
        f.debug_struct("RetryStatus")
            .field("retries", &retries)
            .field("recovered", &self.recovered)
            .field("stopped", &stopped)
            .field("budget_available", &self.budget_available)
            .field("mode", &self.mode)
            .finish()
    }
}

impl Counts {
    /// A call is made again after such a failure.
    pub(super) fn retried(&self, after: FailureKind) {
        self.retries[after as usize - 1].fetch_add(1, Relaxed);
    }

    /// A call that was made again succeeded.
    pub(super) fn recovered(&self) {
        self.recovered.fetch_add(1, Relaxed);
    }

    /// A failed call is not made again.
    pub(super) fn stopped(&self, stop: Stop) {
        self.stops[stop as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn status(&self, budget_available: u64, mode: Mode) -> RetryStatus {
        let by_failure = self.retries.each_ref().map(|count| count.load(Relaxed));
        let by_stop = self.stops.each_ref().map(|count| count.load(Relaxed));
        RetryStatus {
            retries: by_failure.iter().sum(),
            recovered: self.recovered.load(Relaxed),
            exhausted: by_stop[Stop::Exhausted as usize],
            over_budget: by_stop[Stop::Budget as usize],
            over_time: by_stop[Stop::Deadline as usize],
            budget_available,
            mode,
            by_failure,
            by_stop,
        }
    }
}
