//! A bulkhead in numbers.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use portcullis_core::{Mode, PolicyKind, Reason, health::Level};

use super::policy::Shared;
use crate::{
    metrics::{
        Measures,
        names::{BULKHEAD_IN_FLIGHT, BULKHEAD_LIMIT, BULKHEAD_QUEUED, BULKHEAD_WAIT, CALLS, REJECTIONS},
    },
    registry::Snapshot,
};

/// A bulkhead at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BulkheadStatus {
    /// Permits that are in use: calls that run, if they all weigh 1. More than the limit after that was
    /// lowered, or when calls passed that would have been refused.
    pub in_flight: u32,
    /// Permits there are.
    pub limit: u32,
    /// Calls that wait.
    pub queued: u32,
    /// Calls that were refused since it was built, for whatever reason.
    pub rejected: u64,
    /// Of those, calls that waited for as long as they may.
    pub timed_out: u64,
    /// Of those, calls that CoDel dropped.
    pub dropped: u64,
    /// Calls that passed and would have been refused, because of the mode.
    pub bypassed: u64,
    /// Whether calls are refused, or only counted.
    pub mode: Mode,
}

/// Refusals by reason.
#[derive(Default)]
pub(super) struct Refusals([AtomicU64; REASONS.len()]);

/// The words of the reasons for which a bulkhead refuses.
const REASONS: [&str; 5] = ["full", "short", "queue_timeout", "queue_dropped", "stopped"];

impl Refusals {
    pub(super) fn count(&self, reason: &Reason) {
        let at = match reason {
            Reason::Stopped { .. } => 4,
            Reason::QueueDropped { .. } => 3,
            Reason::QueueTimeout { .. } => 2,
            Reason::BulkheadShort { .. } => 1,
            _ => 0,
        };
        self.0[at].fetch_add(1, Relaxed);
    }

    fn of(&self, at: usize) -> u64 {
        self.0[at].load(Relaxed)
    }

    fn total(&self) -> u64 {
        (0..REASONS.len()).map(|at| self.of(at)).sum()
    }
}

/// Everything there is to see.
pub(super) fn status(bulkhead: &Shared) -> BulkheadStatus {
    let Shared { semaphore, rejected, bypassed, .. } = bulkhead;
    BulkheadStatus {
        in_flight: semaphore.in_flight(),
        limit: semaphore.limit(),
        queued: semaphore.queued(),
        rejected: rejected.total(),
        timed_out: rejected.of(2),
        dropped: rejected.of(3),
        bypassed: bypassed.total(),
        mode: semaphore.mode(),
    }
}

/// What [`Policy::measure`](crate::registry::Policy::measure) tells of a bulkhead.
pub(super) fn measure(bulkhead: &Shared, into: &mut dyn Measures) {
    let kind = PolicyKind::Bulkhead.as_str();
    let status = status(bulkhead);
    into.counter(&CALLS, &[kind, "rejected"], status.rejected);
    for (at, reason) in REASONS.into_iter().enumerate() {
        into.counter(&REJECTIONS, &[kind, reason, "enforced"], bulkhead.rejected.of(at));
        into.counter(&REJECTIONS, &[kind, reason, "shadow"], bulkhead.bypassed.of(at));
    }
    into.gauge(&BULKHEAD_IN_FLIGHT, &[], f64::from(status.in_flight));
    into.gauge(&BULKHEAD_LIMIT, &[], f64::from(status.limit));
    into.gauge(&BULKHEAD_QUEUED, &[], f64::from(status.queued));
    into.buckets(&BULKHEAD_WAIT, &[], &bulkhead.waits.get());
}

/// What [`Policy::snapshot`](crate::registry::Policy::snapshot) tells of a bulkhead.
pub(super) fn snapshot(bulkhead: &Shared) -> Snapshot {
    let status = status(bulkhead);
    let full = bulkhead.semaphore.is_refusing();
    Snapshot {
        name: bulkhead.name().clone(),
        kind: PolicyKind::Bulkhead,
        state: if full { "full" } else { "active" },
        level: if full { Level::Warning } else { Level::Healthy },
        values: vec![
            ("in_flight", status.in_flight.into()),
            ("limit", status.limit.into()),
            ("queued", status.queued.into()),
            ("rejected", status.rejected.into()),
            ("timed_out", status.timed_out.into()),
            ("dropped", status.dropped.into()),
            ("bypassed", status.bypassed.into()),
            ("mode", status.mode.as_str().into()),
        ],
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_reason_is_counted_under_its_own_word() {
        let (limit, time) = (1, Duration::ZERO);
        for reason in [
            Reason::BulkheadFull { limit, queued: 0 },
            Reason::BulkheadShort { limit, free: 0, queued: 0, weight: 2 },
            Reason::QueueTimeout { limit, max_wait: time },
            Reason::QueueDropped { limit, waited: time, target: time },
            Reason::Stopped { kind: PolicyKind::Bulkhead, why: "fire" },
        ] {
            let refusals = Refusals::default();
            refusals.count(&reason);
            let at = REASONS.iter().position(|word| *word == reason.as_str()).unwrap();
            assert_eq!((refusals.of(at), refusals.total()), (1, 1), "{reason}");
        }
    }
}
