//! A drain in numbers and words.

use portcullis_core::{Name, PolicyKind, drain::Phase, health::Level};

use super::DrainStatus;
use crate::{
    metrics::{
        Measures,
        names::{CALLS, DRAIN_IN_FLIGHT, DRAIN_PHASE, REJECTIONS},
    },
    registry::Snapshot,
};

pub(super) fn measure(status: &DrainStatus, into: &mut dyn Measures) {
    let kind = PolicyKind::Drain.as_str();
    into.counter(&CALLS, &[kind, "rejected"], status.rejected);
    into.counter(&REJECTIONS, &[kind, "draining", "enforced"], status.rejected);
    into.gauge(&DRAIN_PHASE, &[], f64::from(status.phase as u8));
    into.gauge(&DRAIN_IN_FLIGHT, &[], status.in_flight as f64);
}

pub(super) fn snapshot(name: &Name, status: &DrainStatus) -> Snapshot {
    Snapshot {
        name: name.clone(),
        kind: PolicyKind::Drain,
        state: status.phase.as_str(),
        // It is meant to be so, and somebody who looks should see it.
        level: if status.phase == Phase::Serving { Level::Healthy } else { Level::Warning },
        values: vec![("in_flight", status.in_flight.into()), ("rejected", status.rejected.into())],
    }
}
