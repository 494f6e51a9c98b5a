//! The judgement of one finished attempt, which every policy reads.

use std::{num::NonZeroU16, time::Duration};

/// How one finished attempt is judged.
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::{Failure, FailureKind, Verdict};
///
/// let verdict = Verdict::from(Failure::new(FailureKind::Timeout));
/// assert!(verdict.failure().is_some_and(|f| f.kind == FailureKind::Timeout));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The dependency did its work.
    Success,
    /// The dependency failed.
    Failure(Failure),
    /// Says nothing about the dependency: a local refusal, a call that was cancelled.
    Ignored,
}

impl Verdict {
    /// The failure, if this is one.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failure(failure) => Some(failure),
            Self::Success | Self::Ignored => None,
        }
    }
}

impl From<Failure> for Verdict {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// What is known of a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// How grave it is.
    pub severity: Severity,
    /// How far the request got; decides whether it is safe to send it again.
    pub delivery: Delivery,
    /// When the dependency asked to be called again.
    pub retry_after: Option<Duration>,
    /// The dependency asked not to be called again with this, as gRPC does by a negative pushback.
    pub do_not_retry: bool,
    /// What the dependency answered, where it did: the HTTP status, which is 100 or more, or the gRPC code,
    /// which is less.
    pub status: Option<NonZeroU16>,
}

impl Failure {
    /// A failure of this kind, with the kind's usual severity, that may have been processed.
    pub const fn new(kind: FailureKind) -> Self {
        Self {
            kind,
            severity: kind.severity(),
            delivery: Delivery::MaybeProcessed,
            retry_after: None,
            do_not_retry: false,
            status: None,
        }
    }

    /// The same failure with this delivery.
    #[must_use]
    pub const fn delivery(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }

    /// The same failure of a dependency that asked not to be called again with this.
    #[must_use]
    pub const fn do_not_retry(mut self) -> Self {
        self.do_not_retry = true;
        self
    }

    /// The same failure with this HTTP status or gRPC code; 0 is none.
    #[must_use]
    pub const fn status(mut self, status: u16) -> Self {
        self.status = NonZeroU16::new(status);
        self
    }

    /// The same failure with the time the dependency asked to be left alone.
    #[must_use]
    pub const fn retry_after(mut self, after: Option<Duration>) -> Self {
        self.retry_after = after;
        self
    }
}

/// The kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum FailureKind {
    /// No answer in time.
    Timeout = 1,
    /// No connection could be made.
    Connection = 2,
    /// The connection broke.
    Network = 3,
    /// The dependency says that it is unavailable.
    Unavailable = 4,
    /// The dependency refused for the rate of calls.
    RateLimited = 5,
    /// The dependency is out of a resource.
    ResourceExhausted = 6,
    /// The dependency failed while processing.
    Internal = 7,
    /// Data was lost or is corrupt.
    DataLoss = 8,
    /// The answer does not hold what it must.
    Validation = 9,
    /// Right, but too slow.
    Slow = 10,
    /// The code panicked.
    Panic = 11,
    /// Anything else.
    Other = 12,
}

impl FailureKind {
    /// Every kind, in the order of its number.
    pub const ALL: [Self; 12] = [
        Self::Timeout,
        Self::Connection,
        Self::Network,
        Self::Unavailable,
        Self::RateLimited,
        Self::ResourceExhausted,
        Self::Internal,
        Self::DataLoss,
        Self::Validation,
        Self::Slow,
        Self::Panic,
        Self::Other,
    ];

    /// The kind's word, as it stands in metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Connection => "connection",
            Self::Network => "network",
            Self::Unavailable => "unavailable",
            Self::RateLimited => "rate_limited",
            Self::ResourceExhausted => "resource_exhausted",
            Self::Internal => "internal",
            Self::DataLoss => "data_loss",
            Self::Validation => "validation",
            Self::Slow => "slow",
            Self::Panic => "panic",
            Self::Other => "other",
        }
    }

    /// The severity a failure of this kind usually has.
    pub const fn severity(self) -> Severity {
        match self {
            Self::Slow | Self::RateLimited | Self::Validation => Severity::Low,
            Self::Timeout | Self::Network | Self::Other => Severity::Medium,
            Self::Connection | Self::Unavailable | Self::ResourceExhausted | Self::Internal => Severity::High,
            Self::DataLoss | Self::Panic => Severity::Critical,
        }
    }

    /// Its place in [`ALL`](Self::ALL).
    pub(crate) const fn index(self) -> usize {
        self as usize - 1
    }

    /// The kind of this number; for values that were packed into a word.
    #[inline]
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        // Written out, this is one comparison.
        Some(match number {
            1 => Self::Timeout,
            2 => Self::Connection,
            3 => Self::Network,
            4 => Self::Unavailable,
            5 => Self::RateLimited,
            6 => Self::ResourceExhausted,
            7 => Self::Internal,
            8 => Self::DataLoss,
            9 => Self::Validation,
            10 => Self::Slow,
            11 => Self::Panic,
            12 => Self::Other,
            _ => return None,
        })
    }
}

/// How grave a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth counting.
    Low,
    /// Worth looking at.
    Medium,
    /// Worth acting on.
    High,
    /// Worth waking somebody.
    Critical,
}

/// How far a failed request got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// It never left: sending it again is safe.
    NotSent,
    /// It arrived and was refused before any work was done: sending it again is safe.
    NotProcessed,
    /// It may have been processed: sending it again is safe only when it is idempotent.
    MaybeProcessed,
}

/// How one admitted attempt ended, as a policy records it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A success.
    Success,
    /// A failure.
    Failure(Failure),
    /// No information about the dependency.
    Ignored,
    /// The caller gave up before there was a result.
    Abandoned,
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Success => Self::Success,
            Verdict::Failure(failure) => Self::Failure(failure),
            Verdict::Ignored => Self::Ignored,
        }
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every call carries one. What a failure knows fits beside its wait.
    #[test]
    fn a_verdict_takes_three_words_at_most() {
        assert!(size_of::<Verdict>() <= 24);
    }

    #[test]
    fn kinds_survive_being_packed() {
        for kind in FailureKind::ALL {
            assert_eq!(FailureKind::from_number(kind as u8), Some(kind));
            assert_eq!(FailureKind::ALL[kind.index()], kind);
        }
        assert_eq!(FailureKind::from_number(0), None);
        assert_eq!(FailureKind::from_number(13), None);
    }
}
