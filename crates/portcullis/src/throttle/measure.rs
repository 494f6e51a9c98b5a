//! A throttle in numbers and words.

use std::sync::atomic::Ordering::Relaxed;

use portcullis_core::{Mode, Name, PolicyKind, health::Level, throttle::Status};

use super::common::Common;
use crate::{
    metrics::{
        Measures,
        names::{CALLS, REJECTIONS, THROTTLE_CHANCE},
    },
    registry::{Snapshot, Value},
};

/// A throttle at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ThrottleStatus {
    /// Requests in the window, with those that were held back, and those that hang.
    pub requests: u64,
    /// Requests in the window that were accepted.
    pub accepted: u64,
    /// Requests in the window that have had no answer for too long.
    pub hanging: u64,
    /// The chance with which a call is held back, 0 to [`max_share`](super::Config::max_share).
    pub chance: f64,
    /// Calls that were accepted since it was built.
    pub accepted_total: u64,
    /// Calls that the dependency did not accept since it was built.
    pub refused_total: u64,
    /// Calls since it was built that say nothing about the dependency.
    pub ignored_total: u64,
    /// Calls that were held back since it was built; of all keys, where there are some.
    pub rejected: u64,
    /// Calls that would have been, but for the mode.
    pub shadowed: u64,
    /// Whether calls are held back, or only counted.
    pub mode: Mode,
}

pub(super) fn status(seen: &Status, common: &Common) -> ThrottleStatus {
    ThrottleStatus {
        requests: seen.requests,
        accepted: seen.accepted,
        hanging: seen.hanging,
        chance: seen.chance,
        accepted_total: seen.accepted_total,
        refused_total: seen.refused_total,
        ignored_total: seen.ignored_total,
        rejected: common.rejected.load(Relaxed),
        shadowed: common.shadowed.load(Relaxed),
        mode: common.config.load().mode,
    }
}

pub(super) fn measure(status: &ThrottleStatus, into: &mut dyn Measures) {
    let kind = PolicyKind::Throttle.as_str();
    into.counter(&CALLS, &[kind, "success"], status.accepted_total);
    into.counter(&CALLS, &[kind, "failure"], status.refused_total);
    into.counter(&CALLS, &[kind, "ignored"], status.ignored_total);
    held_back(status.rejected, status.shadowed, into);
    into.gauge(&THROTTLE_CHANCE, &[], status.chance);
}

pub(super) fn held_back(rejected: u64, shadowed: u64, into: &mut dyn Measures) {
    let kind = PolicyKind::Throttle.as_str();
    into.counter(&CALLS, &[kind, "rejected"], rejected);
    into.counter(&REJECTIONS, &[kind, "throttled", "enforced"], rejected);
    into.counter(&REJECTIONS, &[kind, "throttled", "shadow"], shadowed);
}

pub(super) fn snapshot(name: &Name, status: &ThrottleStatus) -> Snapshot {
    let throttles = status.chance > 0.0;
    Snapshot {
        name: name.clone(),
        kind: PolicyKind::Throttle,
        state: if throttles { "throttling" } else { "active" },
        level: if throttles { Level::Warning } else { Level::Healthy },
        values: values(status),
    }
}

fn values(status: &ThrottleStatus) -> Vec<(&'static str, Value)> {
    vec![
        ("mode", status.mode.as_str().into()),
        ("chance", status.chance.into()),
        ("requests", status.requests.into()),
        ("accepted", status.accepted.into()),
        ("hanging", status.hanging.into()),
        ("rejected", status.rejected.into()),
        ("shadowed", status.shadowed.into()),
    ]
}
