//! A pool of threads in numbers.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use portcullis_core::{Mode, PolicyKind, Reason, health::Level};

use super::policy::Shared;
use crate::{
    metrics::{
        Measures,
        names::{CALLS, POOL_BUSY, POOL_PANICS, POOL_QUEUED, POOL_THREADS, REJECTIONS},
    },
    registry::Snapshot,
};

/// A pool of threads at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ThreadPoolStatus {
    /// Threads there may be.
    pub threads: u32,
    /// Threads that run a call, or are about to. More than there may be after that was lowered, or when calls
    /// passed that would have been refused.
    pub busy: u32,
    /// Calls that wait for a thread.
    pub queued: u32,
    /// Calls that were refused since it was built.
    pub rejected: u64,
    /// Of those, calls that waited for as long as they may.
    pub timed_out: u64,
    /// Calls that passed and would have been refused, because of the mode.
    pub bypassed: u64,
    /// Calls that panicked.
    pub panics: u64,
    /// Calls that were dropped before they had their answer, in the queue or while they ran.
    pub cancelled: u64,
    /// Whether calls are refused, or only counted.
    pub mode: Mode,
}

/// Refusals by reason.
#[derive(Default)]
pub(super) struct Refusals([AtomicU64; REASONS.len()]);

/// The words of the reasons for which a pool refuses.
const REASONS: [&str; 2] = ["pool_full", "pool_timeout"];

impl Refusals {
    pub(super) fn count(&self, reason: &Reason) {
        let at = usize::from(matches!(reason, Reason::PoolTimeout { .. }));
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
pub(super) fn status(pool: &Shared) -> ThreadPoolStatus {
    let Shared { permits, rejected, bypassed, panics, cancelled, .. } = pool;
    ThreadPoolStatus {
        threads: permits.limit(),
        busy: permits.in_flight(),
        queued: permits.queued(),
        rejected: rejected.total() + pool.refused_stopped(),
        timed_out: rejected.of(1),
        bypassed: bypassed.total(),
        panics: panics.load(Relaxed),
        cancelled: cancelled.load(Relaxed),
        mode: permits.mode(),
    }
}

/// What [`Policy::measure`](crate::registry::Policy::measure) tells of a pool.
pub(super) fn measure(pool: &Shared, into: &mut dyn Measures) {
    let kind = PolicyKind::ThreadPool.as_str();
    let status = status(pool);
    into.counter(&CALLS, &[kind, "rejected"], status.rejected);
    into.counter(&CALLS, &[kind, "abandoned"], status.cancelled);
    for (at, reason) in REASONS.into_iter().enumerate() {
        into.counter(&REJECTIONS, &[kind, reason, "enforced"], pool.rejected.of(at));
        into.counter(&REJECTIONS, &[kind, reason, "shadow"], pool.bypassed.of(at));
    }
    into.counter(&REJECTIONS, &[kind, "stopped", "enforced"], pool.refused_stopped());
    into.counter(&POOL_PANICS, &[], status.panics);
    into.gauge(&POOL_BUSY, &[], f64::from(status.busy));
    into.gauge(&POOL_QUEUED, &[], f64::from(status.queued));
    into.gauge(&POOL_THREADS, &[], f64::from(status.threads));
}

/// What [`Policy::snapshot`](crate::registry::Policy::snapshot) tells of a pool.
pub(super) fn snapshot(pool: &Shared) -> Snapshot {
    let status = status(pool);
    let full = pool.permits.is_refusing();
    Snapshot {
        name: pool.name().clone(),
        kind: PolicyKind::ThreadPool,
        state: if full { "full" } else { "active" },
        level: if full { Level::Warning } else { Level::Healthy },
        values: vec![
            ("threads", status.threads.into()),
            ("busy", status.busy.into()),
            ("queued", status.queued.into()),
            ("rejected", status.rejected.into()),
            ("timed_out", status.timed_out.into()),
            ("bypassed", status.bypassed.into()),
            ("panics", status.panics.into()),
            ("cancelled", status.cancelled.into()),
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
        let threads = 1;
        for reason in [
            Reason::PoolFull { threads, queued: 0 },
            Reason::PoolTimeout { threads, max_wait: Duration::ZERO },
        ] {
            let refusals = Refusals::default();
            refusals.count(&reason);
            let at = REASONS.iter().position(|word| *word == reason.as_str()).unwrap();
            assert_eq!((refusals.of(at), refusals.total()), (1, 1), "{reason}");
        }
    }
}
