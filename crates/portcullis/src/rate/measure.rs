//! A rate limit in numbers and words.

use std::sync::atomic::Ordering::Relaxed;

use portcullis_core::{Name, PolicyKind, health::Level};

use super::{RateLimitStatus, common::Common};
use crate::{
    metrics::{
        Measures,
        names::{CALLS, RATE_AVAILABLE, RATE_QUEUED, REJECTIONS},
    },
    registry::{Snapshot, Value},
};

pub(super) fn measure(status: &RateLimitStatus, into: &mut dyn Measures) {
    into.gauge(&RATE_AVAILABLE, &[], status.available as f64);
    into.gauge(&RATE_QUEUED, &[], f64::from(status.queued));
}

pub(super) fn rejected(common: &Common, into: &mut dyn Measures) {
    let kind = PolicyKind::RateLimit.as_str();
    into.counter(&CALLS, &[kind, "rejected"], common.refused());
    into.counter(&REJECTIONS, &[kind, "rate_limited", "enforced"], common.rejected.load(Relaxed));
    into.counter(&REJECTIONS, &[kind, "rate_limited", "shadow"], common.shadowed.load(Relaxed));
    into.counter(&REJECTIONS, &[kind, "stopped", "enforced"], common.emitter.refused_stopped());
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
