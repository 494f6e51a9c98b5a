//! A rate limit in numbers and words.

use portcullis_core::{Name, PolicyKind, health::Level};

use super::RateLimitStatus;
use crate::{
    metrics::{
        Measures,
        names::{CALLS, RATE_AVAILABLE, RATE_QUEUED, REJECTIONS},
    },
    registry::{Snapshot, Value},
};

pub(super) fn measure(status: &RateLimitStatus, into: &mut dyn Measures) {
    rejected(status.rejected, status.shadowed, into);
    into.gauge(&RATE_AVAILABLE, &[], status.available as f64);
    into.gauge(&RATE_QUEUED, &[], f64::from(status.queued));
}

pub(super) fn rejected(rejected: u64, shadowed: u64, into: &mut dyn Measures) {
    let kind = PolicyKind::RateLimit.as_str();
    into.counter(&CALLS, &[kind, "rejected"], rejected);
    into.counter(&REJECTIONS, &[kind, "rate_limited", "enforced"], rejected);
    into.counter(&REJECTIONS, &[kind, "rate_limited", "shadow"], shadowed);
}

pub(super) fn snapshot(name: &Name, status: &RateLimitStatus) -> Snapshot {
    let spent = status.available == 0;
    Snapshot {
        name: name.clone(),
        kind: PolicyKind::RateLimit,
        state: if spent { "spent" } else { "active" },
        level: if spent { Level::Warning } else { Level::Healthy },
        values: values(status),
    }
}

pub(super) fn values(status: &RateLimitStatus) -> Vec<(&'static str, Value)> {
    vec![
        ("mode", status.mode.as_str().into()),
        ("available", status.available.into()),
        ("burst", status.burst.into()),
        ("queued", status.queued.into()),
        ("waited", status.waited.into()),
        ("rejected", status.rejected.into()),
        ("shadowed", status.shadowed.into()),
    ]
}
