//! A keyed bulkhead in numbers.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use portcullis_core::{ConfigError, Mode, PolicyKind, Reason, bulkhead::keyed::Config, health::Level};

use super::policy::Shared;
use crate::{
    event::Emitter,
    keyed::{Evictions, Key},
    metrics::{
        Measures,
        names::{BULKHEAD_IN_FLIGHT, BULKHEAD_LIMIT, BULKHEAD_QUEUED, BULKHEAD_WAIT, CALLS, REJECTIONS},
    },
    registry::{Action, Policy, Snapshot},
    restart::{Kept, Saved},
};

/// A keyed bulkhead at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyedBulkheadStatus {
    /// Permits that all keys hold: calls that run, if they all weigh 1. More than the limit after that was lowered, or
    /// when calls passed that would have been refused.
    pub in_flight: u64,
    /// Permits there are.
    pub limit: u32,
    /// Calls that wait.
    pub queued: u32,
    /// Keys that hold a permit; those that are seen as one key are one.
    pub holding: u64,
    /// Calls that were refused since it was built, for whatever reason.
    pub rejected: u64,
    /// Of those, calls whose key had its share.
    pub key_full: u64,
    /// Of those, calls that waited for as long as they may, though their key had less than its share.
    pub timed_out: u64,
    /// Calls that passed and would have been refused, because of the mode.
    pub bypassed: u64,
    /// How many keys there are.
    pub keys: usize,
    /// How many there may be.
    pub max_keys: usize,
    /// How many were forgotten.
    pub evictions: Evictions,
    /// How often there was no room for a key.
    pub overflows: u64,
    /// Whether calls are refused, or only counted.
    pub mode: Mode,
}

/// One key of a keyed bulkhead at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyStatus {
    /// Permits that it holds.
    pub in_flight: u64,
    /// Permits that it may hold now; it depends on what others hold.
    pub limit: u32,
    /// Its calls that wait.
    pub queued: u32,
    /// Its calls that were refused since it came.
    pub rejected: u64,
}

/// Refusals by reason.
#[derive(Default)]
pub(super) struct Refusals([AtomicU64; REASONS.len()]);

/// The words of the reasons for which a keyed bulkhead refuses.
const REASONS: [&str; 5] = ["full", "short", "queue_timeout", "key_full", "stopped"];

impl Refusals {
    pub(super) fn count(&self, reason: &Reason) {
        let at = match reason {
            Reason::Stopped { .. } => 4,
            Reason::KeyFull { .. } => 3,
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

impl<K: Key> Shared<K> {
    pub(super) fn status(&self) -> KeyedBulkheadStatus {
        let Self { keys, common, .. } = self;
        let whole = common.semaphore.status();
        KeyedBulkheadStatus {
            in_flight: whole.in_flight,
            limit: whole.limit,
            queued: whole.queued,
            holding: whole.holding,
            rejected: common.rejected.total(),
            key_full: common.rejected.of(3),
            timed_out: common.rejected.of(2),
            bypassed: common.bypassed.total(),
            keys: keys.len(),
            max_keys: keys.limits().max_keys,
            evictions: keys.evictions(),
            overflows: keys.overflows(),
            mode: whole.mode,
        }
    }
}

impl<K: Key> Policy for Shared<K> {
    fn facts(&self) -> Option<portcullis_core::pipeline::Facts> {
        let config = self.common.semaphore.config();
        let (max, max_queued, max_wait) = (config.overall, config.max_queued, config.max_wait);
        let what = portcullis_core::pipeline::What::InFlight { max, max_queued, max_wait };
        Some(portcullis_core::pipeline::Facts { mode: config.mode, what })
    }

    fn snapshot(&self) -> Snapshot {
        let status = self.status();
        let full = self.common.semaphore.is_refusing();
        self.common.emitter.marked(Snapshot {
            name: self.common.emitter.name().clone(),
            kind: PolicyKind::Bulkhead,
            state: if full { "full" } else { "active" },
            // That one key has its share is no matter for the whole service.
            level: if full { Level::Warning } else { Level::Healthy },
            values: vec![
                ("in_flight", status.in_flight.into()),
                ("limit", status.limit.into()),
                ("queued", status.queued.into()),
                ("holding", status.holding.into()),
                ("rejected", status.rejected.into()),
                ("key_full", status.key_full.into()),
                ("timed_out", status.timed_out.into()),
                ("bypassed", status.bypassed.into()),
                ("mode", status.mode.as_str().into()),
                ("entries", (status.keys as u64).into()),
                ("max_keys", (status.max_keys as u64).into()),
                ("evicted_idle", status.evictions.idle.into()),
                ("evicted_full", status.evictions.full.into()),
                ("overflows", status.overflows.into()),
            ],
        })
    }

    /// No series per key: their number is up to who sends the requests.
    fn measure(&self, into: &mut dyn Measures) {
        let kind = PolicyKind::Bulkhead.as_str();
        let (status, common) = (self.status(), &self.common);
        into.counter(&CALLS, &[kind, "rejected"], status.rejected);
        for (at, reason) in REASONS.into_iter().enumerate() {
            into.counter(&REJECTIONS, &[kind, reason, "enforced"], common.rejected.of(at));
            into.counter(&REJECTIONS, &[kind, reason, "shadow"], common.bypassed.of(at));
        }
        into.gauge(&BULKHEAD_IN_FLIGHT, &[], status.in_flight as f64);
        into.gauge(&BULKHEAD_LIMIT, &[], f64::from(status.limit));
        into.gauge(&BULKHEAD_QUEUED, &[], f64::from(status.queued));
        into.buckets(&BULKHEAD_WAIT, &[], &common.waits.get());
        self.keys.measure(into);
    }

    fn actions(&self) -> &'static [Action] {
        &[Action::Isolate, Action::Release, Action::Mode]
    }

    fn mode(&self) -> Option<Mode> {
        Some(self.common.semaphore.config().mode)
    }

    fn set_mode(&self, mode: Mode) -> Result<(), ConfigError> {
        self.update(|config| Config { mode, ..config.clone() })
    }

    fn emitter(&self) -> Option<&Emitter> {
        Some(&self.common.emitter)
    }

    fn save(&self, into: &mut Saved) {
        self.common.emitter.save(into);
    }

    fn resume(&self, from: &Kept<'_>) -> bool {
        self.common.emitter.resume(from).is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_reason_is_counted_under_its_own_word() {
        let limit = 1;
        for reason in [
            Reason::BulkheadFull { limit, queued: 0 },
            Reason::BulkheadShort { limit, free: 0, queued: 0, weight: 2 },
            Reason::QueueTimeout { limit, max_wait: Duration::ZERO },
            Reason::KeyFull { limit, in_flight: 1, overall: 1, queued: 0 },
        ] {
            let refusals = Refusals::default();
            refusals.count(&reason);
            let at = REASONS.iter().position(|word| *word == reason.as_str()).unwrap();
            assert_eq!((refusals.of(at), refusals.total()), (1, 1), "{reason}");
        }
    }
}
