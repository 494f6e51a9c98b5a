//! A retry policy in numbers and words.

use portcullis_core::{FailureKind, Name, PolicyKind, health::Level};

use super::{RetryStatus, Stop};
use crate::{
    metrics::{
        Measures,
        names::{RETRY_ATTEMPTS, RETRY_RECOVERED, RETRY_STOPPED},
    },
    registry::{Snapshot, Value},
};

pub(super) fn measure(status: &RetryStatus, into: &mut dyn Measures) {
    for kind in FailureKind::ALL {
        into.counter(&RETRY_ATTEMPTS, &[kind.as_str()], status.retries_after(kind));
    }
    into.counter(&RETRY_RECOVERED, &[], status.recovered);
    for stop in Stop::ALL.into_iter().filter(|&stop| stop != Stop::Disabled) {
        into.counter(&RETRY_STOPPED, &[stop.as_str()], status.stopped(stop));
    }
}

pub(super) fn snapshot(name: &Name, status: &RetryStatus) -> Snapshot {
    let spent = status.budget_available == 0;
    Snapshot {
        name: name.clone(),
        kind: PolicyKind::Retry,
        state: if spent { "budget_spent" } else { "active" },
        level: if spent { Level::Warning } else { Level::Healthy },
        values: values(status),
    }
}

pub(super) fn values(status: &RetryStatus) -> Vec<(&'static str, Value)> {
    vec![
        ("retries", status.retries.into()),
        ("recovered", status.recovered.into()),
        ("exhausted", status.exhausted.into()),
        ("over_budget", status.over_budget.into()),
        ("over_time", status.over_time.into()),
        ("budget_available", status.budget_available.into()),
        ("mode", status.mode.as_str().into()),
    ]
}
