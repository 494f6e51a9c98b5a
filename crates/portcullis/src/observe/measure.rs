//! Calls and attempts in numbers.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use portcullis_core::{Name, PolicyKind, Time, Verdict, health::Level, observe::Config, quantile::Quantiles};

use super::policy::{Calls, Scope};
use crate::{
    clock,
    metrics::{
        BUCKETS, Bucket, Buckets, Measures,
        names::{CALL_DURATION, CALLS, CALLS_IN_FLIGHT},
    },
    registry::{Snapshot, Value, millis},
    shard,
};

/// How a call or an attempt ended, as an observer counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// With an answer that was judged a success.
    Success,
    /// With a failure; a timeout of this library among them.
    Failure,
    /// With what says nothing about the dependency.
    Ignored,
    /// With the refusal of a policy.
    Rejected,
    /// Dropped by its caller before it had ended.
    Abandoned,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Success, Self::Failure, Self::Ignored, Self::Rejected, Self::Abandoned];

    /// Its word, as it stands in metrics and spans.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Ignored => "ignored",
            Self::Rejected => "rejected",
            Self::Abandoned => "abandoned",
        }
    }
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Success => Self::Success,
            Verdict::Failure(_) => Self::Failure,
            Verdict::Ignored => Self::Ignored,
        }
    }
}

/// What an observer has seen of calls, or of attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Seen {
    /// Those that run now, until their bodies have ended.
    pub in_flight: u64,
    /// Those that succeeded.
    pub successes: u64,
    /// Those that failed.
    pub failures: u64,
    /// Those that said nothing about the dependency.
    pub ignored: u64,
    /// Those that a policy refused.
    pub rejected: u64,
    /// Those that were dropped before they had ended.
    pub abandoned: u64,
    /// How long those of the last minute took that succeeded, failed or said nothing; when that is measured.
    pub took: Option<Percentiles>,
}

impl Seen {
    /// All that have ended.
    pub fn total(&self) -> u64 {
        self.successes + self.failures + self.ignored + self.rejected + self.abandoned
    }

    fn of(&self, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::Success => self.successes,
            Outcome::Failure => self.failures,
            Outcome::Ignored => self.ignored,
            Outcome::Rejected => self.rejected,
            Outcome::Abandoned => self.abandoned,
        }
    }
}

/// The times that so many of a hundred did not exceed; at most 3.2 % off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Percentiles {
    /// Half of them.
    pub p50: Duration,
    /// 95 of a hundred.
    pub p95: Duration,
    /// 99 of a hundred.
    pub p99: Duration,
}

/// An observer at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObserverStatus {
    /// What callers saw.
    pub calls: Seen,
    /// What was made of it.
    pub attempts: Seen,
    /// The settings.
    pub config: Config,
}

/// What the calls of one thread came to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    ended: [AtomicU64; Outcome::ALL.len()],
    /// There once it is measured.
    took: OnceLock<Box<Buckets>>,
}

impl Tally {
    #[inline(always)]
    pub(super) fn count(&self, outcome: Outcome) {
        self.ended[outcome as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn took(&self, took: Duration) {
        self.took.get_or_init(Box::default).record(took);
    }
}

/// How far back percentiles look.
const SPAN: Duration = Duration::from_secs(60);

/// How long all took lately.
#[derive(Default)]
pub(super) struct Lately(OnceLock<Quantiles>);

impl Lately {
    pub(super) fn record(&self, shard: usize, took: Duration, now: Time) {
        self.0.get_or_init(|| Quantiles::new(SPAN, shard::count())).record(shard, took, now);
    }

    fn percentiles(&self) -> Option<Percentiles> {
        let now = clock::now();
        let of = |share| self.0.get()?.quantile(share, 1, now);
        Some(Percentiles { p50: of(0.5)?, p95: of(0.95)?, p99: of(0.99)? })
    }
}

pub(super) fn seen(calls: &Calls) -> Seen {
    let sum = |outcome: Outcome| {
        calls.locals().map(|tally| tally.ended[outcome as usize].load(Relaxed)).sum::<u64>()
    };
    Seen {
        in_flight: calls.pinned() as u64,
        successes: sum(Outcome::Success),
        failures: sum(Outcome::Failure),
        ignored: sum(Outcome::Ignored),
        rejected: sum(Outcome::Rejected),
        abandoned: sum(Outcome::Abandoned),
        took: calls.lately.percentiles(),
    }
}

fn buckets(calls: &Calls) -> Option<[Bucket; BUCKETS.len() + 1]> {
    let mut counted = calls.locals().filter_map(|tally| tally.took.get()).map(|took| took.get());
    let first = counted.next()?;
    Some(counted.fold(first, |sum, next| {
        std::array::from_fn(|at| Bucket {
            count: sum[at].count + next[at].count,
            sum: sum[at].sum.saturating_add(next[at].sum),
        })
    }))
}

pub(super) fn measure(calls: &Calls, into: &mut dyn Measures) {
    let (kind, seen) = (calls.scope.as_str(), seen(calls));
    // An observer that only ever sees one of both shows that one.
    if calls.scope == Scope::Attempt && seen.total() == 0 && seen.in_flight == 0 {
        return;
    }
    for outcome in Outcome::ALL {
        into.counter(&CALLS, &[kind, outcome.as_str()], seen.of(outcome));
    }
    into.gauge(&CALLS_IN_FLIGHT, &[kind], seen.in_flight as f64);
    if let Some(buckets) = buckets(calls) {
        into.buckets(&CALL_DURATION, &[kind], &buckets);
    }
}

/// The names that stand in a snapshot for calls, and for attempts.
const NAMES: [[&str; 9]; 2] = [
    ["in_flight", "successes", "failures", "ignored", "rejected", "abandoned", "p50_ms", "p95_ms", "p99_ms"],
    [
        "attempts_in_flight",
        "attempts_succeeded",
        "attempts_failed",
        "attempts_ignored",
        "attempts_rejected",
        "attempts_abandoned",
        "attempts_p50_ms",
        "attempts_p95_ms",
        "attempts_p99_ms",
    ],
];

pub(super) fn snapshot(name: &Name, status: &ObserverStatus) -> Snapshot {
    let mut values = Vec::new();
    for (names, seen) in NAMES.iter().zip([status.calls, status.attempts]) {
        let counts = Outcome::ALL.map(|outcome| seen.of(outcome));
        let counts = std::iter::once(seen.in_flight).chain(counts).map(Value::from);
        let took = seen.took.iter().flat_map(|took| [took.p50, took.p95, took.p99]);
        values.extend(names.iter().copied().zip(counts.chain(took.map(|took| millis(took).into()))));
    }
    values.push(("durations", status.config.durations.into()));
    let state = if status.config.enabled { "active" } else { "disabled" };
    Snapshot { name: name.clone(), kind: PolicyKind::Observer, state, level: Level::Healthy, values }
}
