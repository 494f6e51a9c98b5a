//! A retry policy in numbers and words.

use portcullis_core::{FailureKind, Name, PolicyKind, health::Level, pipeline};

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

/// What others of a pipeline must know of a retry.
pub(super) fn facts(config: &super::Config, budget: pipeline::Budget) -> pipeline::Facts {
    let what = pipeline::What::Retry {
        max_attempts: config.max_attempts,
        waits: pipeline::Waits::of(&config.backoff, config.max_attempts),
        max_retry_after: config.max_retry_after,
        total_time: config.total_time,
        budget,
    };
    pipeline::Facts { mode: config.mode, what }
}
