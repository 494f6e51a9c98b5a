//! A balancer in numbers.

use std::sync::atomic::Ordering::Relaxed;

use portcullis_core::{PolicyKind, health::Level, outlier::Cause};

use super::policy::Shared;
use crate::{
    metrics::{
        Measures,
        names::{CALLS, EJECTED, EJECTIONS, ENDPOINTS, REJECTIONS},
    },
    registry::Snapshot,
};

/// What [`Policy::measure`](crate::registry::Policy::measure) tells of a balancer.
pub(super) fn measure(shared: &Shared, into: &mut dyn Measures) {
    shared.sweep();
    let kind = PolicyKind::Balance.as_str();
    let status = shared.fleet.status();
    let refused = shared.refused.load(Relaxed);
    into.counter(&CALLS, &[kind, "success"], status.successes);
    into.counter(&CALLS, &[kind, "failure"], status.failures);
    into.counter(&CALLS, &[kind, "rejected"], refused);
    into.counter(&REJECTIONS, &[kind, "no_endpoint", "enforced"], refused);
    for (at, cause) in Cause::WORDS.into_iter().enumerate() {
        into.counter(&EJECTIONS, &[cause, "enforced"], status.ejections[at]);
        into.counter(&EJECTIONS, &[cause, "shadow"], status.told[at]);
    }
    into.gauge(&EJECTED, &[], status.ejected as f64);
    into.gauge(&ENDPOINTS, &[], status.endpoints as f64);
}

/// What [`Policy::snapshot`](crate::registry::Policy::snapshot) tells of a balancer.
pub(super) fn snapshot(shared: &Shared) -> Snapshot {
    shared.sweep();
    let status = shared.fleet.status();
    let (state, level) = match (status.panicking, status.ejected) {
        (true, _) => ("panicking", Level::Degraded),
        (false, 0) => ("active", Level::Healthy),
        (false, _) => ("ejecting", Level::Warning),
    };
    Snapshot {
        name: shared.name().clone(),
        kind: PolicyKind::Balance,
        state,
        level,
        values: vec![
            ("endpoints", (status.endpoints as u64).into()),
            ("ejected", (status.ejected as u64).into()),
            ("ejections", status.ejections.iter().sum::<u64>().into()),
            ("would_have_ejected", status.told.iter().sum::<u64>().into()),
            ("held_back", status.held_back.into()),
            ("successes", status.successes.into()),
            ("failures", status.failures.into()),
            ("rejected", shared.refused.load(Relaxed).into()),
            ("mode", status.mode.as_str().into()),
        ],
    }
}
