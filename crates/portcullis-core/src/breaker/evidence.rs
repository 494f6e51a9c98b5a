//! Why a breaker opened.

use super::{Seen, State, status::WindowStatus};
use crate::{
    BreakerEvidence, FailureKind,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// Which rule opened a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Cause {
    /// Failures in a row.
    ConsecutiveFailures = 1,
    /// The share of failures among the last calls.
    FailureRatio = 2,
    /// The share of failures in the last seconds.
    RecentFailureRatio = 3,
    /// The share of slow calls.
    SlowRatio = 4,
    /// The number of failures of one kind.
    KindLimit = 5,
    /// A rule of the configuration's own.
    Custom = 6,
}

impl Cause {
    #[cfg(all(test, not(portcullis_loom)))]
    const ALL: [Self; 6] = [
        Self::ConsecutiveFailures,
        Self::FailureRatio,
        Self::RecentFailureRatio,
        Self::SlowRatio,
        Self::KindLimit,
        Self::Custom,
    ];

    /// The rule's word, as it stands in metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConsecutiveFailures => "consecutive_failures",
            Self::FailureRatio => "failure_ratio",
            Self::RecentFailureRatio => "recent_failure_ratio",
            Self::SlowRatio => "slow_ratio",
            Self::KindLimit => "kind_limit",
            Self::Custom => "custom",
        }
    }

    #[inline]
    fn from_number(number: u8) -> Option<Self> {
        // Written out, this is one comparison.
        Some(match number {
            1 => Self::ConsecutiveFailures,
            2 => Self::FailureRatio,
            3 => Self::RecentFailureRatio,
            4 => Self::SlowRatio,
            5 => Self::KindLimit,
            6 => Self::Custom,
            _ => return None,
        })
    }
}

/// A rule that was met.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Trip {
    pub(crate) cause: Cause,
    /// What it was held against: a number of failures, or a share.
    pub(crate) limit: f64,
    /// The window that it looked at.
    pub(crate) window: WindowStatus,
}

impl Trip {
    /// By the rule of the configuration's own.
    pub(crate) fn custom(seen: &Seen) -> Self {
        Self { cause: Cause::Custom, limit: 0.0, window: seen.calls }
    }
}

/// The last trip, for refusals to read without a lock.
#[derive(Default)]
pub(crate) struct Evidence {
    /// Failures and calls.
    counts: AtomicU64,
    /// Slow calls and the cause.
    slow_and_cause: AtomicU64,
    limit: AtomicU64,
    last_failure: AtomicU64,
}

impl Evidence {
    /// Keeps what opened the breaker.
    pub(crate) fn keep(&self, trip: &Trip) {
        let WindowStatus { calls, failures, slow } = trip.window;
        self.counts.store((u64::from(failures) << 32) | u64::from(calls), Relaxed);
        self.slow_and_cause.store((u64::from(slow) << 8) | trip.cause as u64, Relaxed);
        self.limit.store(trip.limit.to_bits(), Relaxed);
    }

    /// What is done by hand has no evidence.
    pub(crate) fn clear(&self) {
        self.counts.store(0, Relaxed);
        self.slow_and_cause.store(0, Relaxed);
        self.limit.store(0, Relaxed);
    }

    #[inline]
    pub(crate) fn failed(&self, kind: FailureKind) {
        self.last_failure.store(kind as u64, Relaxed);
    }

    pub(crate) fn last_failure(&self) -> Option<FailureKind> {
        FailureKind::from_number(self.last_failure.load(Relaxed) as u8)
    }

    /// The window that opened the breaker.
    pub(crate) fn window(&self) -> WindowStatus {
        let counts = self.counts.load(Relaxed);
        let slow = (self.slow_and_cause.load(Relaxed) >> 8) as u32;
        WindowStatus { failures: (counts >> 32) as u32, calls: counts as u32, slow }
    }

    /// All of it, for a refusal in `state`.
    pub(crate) fn read(&self, state: State) -> BreakerEvidence {
        self.copy(state).into()
    }

    /// The same, not taken apart.
    #[inline(always)]
    pub(crate) fn copy(&self, state: State) -> Kept {
        Kept {
            words: self.slow_and_cause.load(Relaxed) << 16
                | self.last_failure.load(Relaxed) << 8
                | state as u64,
            counts: self.counts.load(Relaxed),
            limit: self.limit.load(Relaxed),
        }
    }
}

/// A [`BreakerEvidence`] in words that need not be understood to be passed on.
#[derive(Clone, Copy)]
pub(crate) struct Kept {
    /// From the top: slow calls, cause, kind of failure, state.
    pub(crate) words: u64,
    pub(crate) counts: u64,
    /// The bits of a float.
    pub(crate) limit: u64,
}

impl From<BreakerEvidence> for Kept {
    #[inline]
    fn from(evidence: BreakerEvidence) -> Self {
        let kind = evidence.last_failure.map_or(0, |kind| kind as u64);
        let cause = evidence.cause.map_or(0, |cause| cause as u64);
        Self {
            words: u64::from(evidence.slow) << 24 | cause << 16 | kind << 8 | evidence.state as u64,
            counts: u64::from(evidence.failures) << 32 | u64::from(evidence.calls),
            limit: evidence.limit.to_bits(),
        }
    }
}

impl From<Kept> for BreakerEvidence {
    fn from(kept: Kept) -> Self {
        Self {
            state: State::from_number(kept.words as u8),
            cause: Cause::from_number((kept.words >> 16) as u8),
            limit: f64::from_bits(kept.limit),
            failures: (kept.counts >> 32) as u32,
            slow: (kept.words >> 24) as u32,
            calls: kept.counts as u32,
            last_failure: FailureKind::from_number((kept.words >> 8) as u8),
        }
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;
    use crate::{
        Failure, Name, Reason, Time,
        breaker::{Config, Machine},
    };

    #[test]
    fn a_rejection_tells_what_a_refusal_does() {
        let now = || Time::from_millis(7);
        let machine = Machine::new(Config { consecutive_failures: Some(3), ..Config::default() }, 2).unwrap();
        for _ in 0..3 {
            let admission = machine.admit(0, &now).unwrap();
            machine.settle(0, admission, Failure::new(FailureKind::Timeout).into(), &now);
        }
        let refusing = machine.refusing_for_long(now).unwrap();
        assert_eq!(machine.refusing(&now), Some(refusing));
        let refusal = machine.refuse(0, refusing);
        let mut heard = None;
        let hear = Some(|copy| heard = Some(copy));
        let rejection = machine.reject(&Name::from("inventory"), &machine.tally(1), refusing, hear);
        assert_eq!(heard.as_ref(), Some(&rejection));
        assert_eq!(rejection.reason(), Reason::Breaker(refusal.evidence));
        assert_eq!((rejection.retry_after(), machine.status(now()).refused), (refusal.retry_after, 2));
    }

    #[test]
    fn a_trip_is_read_as_it_was_kept() {
        for (number, cause) in (1..).zip(Cause::ALL) {
            assert_eq!((cause as u8, Cause::from_number(number)), (number, Some(cause)));
            let evidence = Evidence::default();
            let window = WindowStatus { calls: u32::MAX, failures: u32::MAX - 1, slow: u32::MAX - 2 };
            evidence.keep(&Trip { cause, limit: 0.3, window });
            evidence.failed(FailureKind::Slow);
            let read = evidence.read(State::Open);
            assert_eq!((read.cause, read.limit, read.state), (Some(cause), 0.3, State::Open));
            assert_eq!((read.calls, read.failures, read.slow), (u32::MAX, u32::MAX - 1, u32::MAX - 2));
            assert_eq!(read.last_failure, Some(FailureKind::Slow));
            assert_eq!(BreakerEvidence::from(Kept::from(read)), read);
            evidence.clear();
            let cleared = evidence.read(State::Open);
            assert_eq!((cleared.cause, cleared.calls, cleared.limit), (None, 0, 0.0));
            assert_eq!(cleared.last_failure, Some(FailureKind::Slow), "that did happen");
        }
    }
}
