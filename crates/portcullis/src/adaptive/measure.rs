//! An adaptive limit in numbers.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use portcullis_core::{Mode, PolicyKind, Verdict, adaptive::Status, health::Level};

use super::{common::Common, policy::Shared};
use crate::{
    metrics::{
        Measures,
        names::{CALLS, LIMIT, LIMIT_IN_FLIGHT, REJECTIONS},
    },
    registry::Snapshot,
};

/// An adaptive limit at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdaptiveLimitStatus {
    /// The limit.
    pub limit: u32,
    /// Calls in flight. More than the limit after that was lowered, or when calls passed that would have been
    /// refused.
    pub in_flight: u32,
    /// How long a call takes that waits for no other, as far as that is known.
    pub baseline: Option<Duration>,
    /// How long calls took in the last window, without the slowest.
    pub latency: Option<Duration>,
    /// Whether the limit is lowered for a moment, to see how long calls take then.
    pub is_probing: bool,
    /// Windows that were decided on since it was built.
    pub windows: u64,
    /// How often the limit was raised, but for the ends of looks.
    pub increases: u64,
    /// How often it was lowered, but for looks.
    pub decreases: u64,
    /// How often it was lowered for a look.
    pub probes: u64,
    /// Calls that succeeded since it was built.
    pub successes: u64,
    /// Calls that failed, whether that was congestion or not.
    pub failures: u64,
    /// Calls of which the result said nothing about the dependency.
    pub ignored: u64,
    /// Calls that were given up.
    pub abandoned: u64,
    /// Calls that were refused.
    pub rejected: u64,
    /// Calls that passed and would have been refused, because of the mode.
    pub bypassed: u64,
    /// Whether calls are refused, or only counted.
    pub mode: Mode,
}

/// How calls ended, as the threads of one shard saw it.
#[derive(Debug, Default)]
pub(super) struct Tally {
    successes: AtomicU64,
    failures: AtomicU64,
    ignored: AtomicU64,
    abandoned: AtomicU64,
}

impl Tally {
    #[inline(always)]
    pub(super) fn succeed(&self) {
        self.successes.fetch_add(1, Relaxed);
    }

    pub(super) fn abandon(&self) {
        self.abandoned.fetch_add(1, Relaxed);
    }

    pub(super) fn count(&self, verdict: &Verdict) {
        let count = match verdict {
            Verdict::Success => &self.successes,
            Verdict::Failure(_) => &self.failures,
            Verdict::Ignored => &self.ignored,
        };
        count.fetch_add(1, Relaxed);
    }
}

/// Everything there is to see.
pub(super) fn status(shared: &Shared) -> AdaptiveLimitStatus {
    let Status {
        limit,
        in_flight,
        baseline,
        latency,
        is_probing,
        mode,
        windows,
        increases,
        decreases,
        probes,
        ..
    } = shared.limiter.status();
    let sum = |of: fn(&Tally) -> &AtomicU64| {
        shared.tallies().fold(0u64, |sum, tally| sum.wrapping_add(of(tally).load(Relaxed)))
    };
    AdaptiveLimitStatus {
        limit,
        in_flight,
        baseline,
        latency,
        is_probing,
        windows,
        increases,
        decreases,
        probes,
        successes: sum(|tally| &tally.successes),
        failures: sum(|tally| &tally.failures),
        ignored: sum(|tally| &tally.ignored),
        abandoned: sum(|tally| &tally.abandoned),
        rejected: shared.rejected.load(Relaxed),
        bypassed: shared.bypassed.load(Relaxed),
        mode,
    }
}

/// What [`Policy::measure`](crate::registry::Policy::measure) tells of an adaptive limit.
pub(super) fn measure(shared: &Shared, into: &mut dyn Measures) {
    let kind = PolicyKind::AdaptiveLimit.as_str();
    let status = status(shared);
    let outcomes = [
        ("success", status.successes),
        ("failure", status.failures),
        ("ignored", status.ignored),
        ("rejected", status.rejected),
        ("abandoned", status.abandoned),
    ];
    for (outcome, count) in outcomes {
        into.counter(&CALLS, &[kind, outcome], count);
    }
    refusals(&shared.common, into);
    into.gauge(&LIMIT, &[], f64::from(status.limit));
    into.gauge(&LIMIT_IN_FLIGHT, &[], f64::from(status.in_flight));
}

/// What a keyed limit tells of all its keys.
pub(super) fn refused(common: &Common, into: &mut dyn Measures) {
    into.counter(&CALLS, &[PolicyKind::AdaptiveLimit.as_str(), "rejected"], common.refused());
    refusals(common, into);
}

fn refusals(common: &Common, into: &mut dyn Measures) {
    let kind = PolicyKind::AdaptiveLimit.as_str();
    into.counter(&REJECTIONS, &[kind, "limit_reached", "enforced"], common.rejected.load(Relaxed));
    into.counter(&REJECTIONS, &[kind, "limit_reached", "shadow"], common.shadowed.load(Relaxed));
    into.counter(&REJECTIONS, &[kind, "stopped", "enforced"], common.emitter.refused_stopped());
}

/// What [`Policy::snapshot`](crate::registry::Policy::snapshot) tells of an adaptive limit.
pub(super) fn snapshot(shared: &Shared) -> Snapshot {
    let status = status(shared);
    let full = shared.limiter.is_full();
    let micros = |time: Option<Duration>| time.map_or(0, |time| time.as_micros() as u64);
    Snapshot {
        name: shared.name().clone(),
        kind: PolicyKind::AdaptiveLimit,
        state: if full { "full" } else { "active" },
        level: if full { Level::Warning } else { Level::Healthy },
        values: vec![
            ("algorithm", shared.limiter.config().algorithm.as_str().into()),
            ("limit", status.limit.into()),
            ("in_flight", status.in_flight.into()),
            ("baseline_us", micros(status.baseline).into()),
            ("latency_us", micros(status.latency).into()),
            ("probing", status.is_probing.into()),
            ("successes", status.successes.into()),
            ("failures", status.failures.into()),
            ("abandoned", status.abandoned.into()),
            ("rejected", status.rejected.into()),
            ("bypassed", status.bypassed.into()),
            ("mode", status.mode.as_str().into()),
        ],
    }
}
