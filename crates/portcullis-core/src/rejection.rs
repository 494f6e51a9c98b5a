//! The library's own refusal.

use std::{error::Error, fmt, time::Duration};

use crate::{
    Delivery, Failure, FailureKind, Name, Overload, PolicyKind, Reason, TimeoutScope, Verdict, breaker::Kept,
    time::nanos,
};

/// A refusal by a policy: who, why, by which measured values, and when to come back.
///
/// It is the same value in an error, in a response's extensions and in an event.
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::{Name, PolicyKind, Reason, Rejection};
/// use std::time::Duration;
///
/// let rejection = Rejection::new(Name::from("checkout"), Reason::BulkheadFull { limit: 10, queued: 0 });
/// assert_eq!(rejection.kind(), PolicyKind::Bulkhead);
/// assert_eq!(rejection.to_string(), "bulkhead 'checkout' is full: 10 in flight, 0 queued");
/// ```
#[derive(Clone, PartialEq)]
pub struct Rejection {
    policy: Name,
    /// In nanoseconds; [`UNKNOWN`] when the policy does not know.
    retry_after: u64,
    why: Why,
}

/// In place of a number of nanoseconds that nobody knows.
pub(crate) const UNKNOWN: u64 = u64::MAX;

/// A [`Reason`] in few words: a refusal is moved through every layer above. The tag is a word, and not a
/// byte, because the bytes around one would be moved one by one.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(u64)]
enum Why {
    /// As the breaker [keeps it](Kept): `reason` takes it apart, for who wants to know.
    Breaker {
        words: u64,
        counts: u64,
        limit: u64,
    },
    BulkheadFull {
        limit: u32,
        queued: u32,
    },
    QueueTimeout {
        limit: u32,
        max_wait: u64,
    },
    BulkheadShort {
        limit: u32,
        free: u32,
        queued: u32,
        weight: u32,
    },
    QueueDropped {
        limit: u32,
        waited: u64,
        target: u64,
    },
    Timeout {
        scope: TimeoutScope,
        sent: bool,
        limit: u64,
    },
    RateLimited {
        permits: u32,
        cost: u32,
        period: u64,
        queued: u32,
    },
    KeyFull {
        limit: u32,
        in_flight: u32,
        overall: u32,
        queued: u32,
    },
    LimitReached {
        limit: u32,
        in_flight: u32,
    },
    Throttled {
        requests: u32,
        accepted: u32,
        chance: f64,
    },
    Overloaded {
        signal: Overload,
        measured: f64,
        limit: f64,
    },
    PoolFull {
        threads: u32,
        queued: u32,
    },
    PoolTimeout {
        threads: u32,
        max_wait: u64,
    },
    NoEndpoint {
        endpoints: u32,
    },
    Panicked,
    /// A runtime or a server: what needs nothing more than its kind. One variant less keeps the checks of every
    /// result with a rejection in it an instruction shorter.
    Over {
        kind: PolicyKind,
    },
    Stopped {
        kind: PolicyKind,
        why: &'static str,
    },
    Injected {
        kind: FailureKind,
    },
}

impl Why {
    #[inline(always)]
    fn new(reason: Reason) -> Self {
        match reason {
            Reason::Breaker(evidence) => Self::breaker(Kept::from(evidence)),
            Reason::BulkheadFull { limit, queued } => Self::BulkheadFull { limit, queued },
            Reason::QueueTimeout { limit, max_wait } => {
                Self::QueueTimeout { limit, max_wait: nanos(max_wait) }
            }
            Reason::BulkheadShort { limit, free, queued, weight } => {
                Self::BulkheadShort { limit, free, queued, weight }
            }
            Reason::QueueDropped { limit, waited, target } => {
                Self::QueueDropped { limit, waited: nanos(waited), target: nanos(target) }
            }
            Reason::Timeout { scope, limit, sent } => Self::Timeout { scope, sent, limit: nanos(limit) },
            Reason::RateLimited { permits, period, cost, queued } => {
                Self::RateLimited { permits, cost, period: nanos(period), queued }
            }
            Reason::KeyFull { limit, in_flight, overall, queued } => {
                Self::KeyFull { limit, in_flight, overall, queued }
            }
            Reason::LimitReached { limit, in_flight } => Self::LimitReached { limit, in_flight },
            Reason::Throttled { requests, accepted, chance } => {
                Self::Throttled { requests, accepted, chance }
            }
            Reason::Overloaded { signal, measured, limit } => Self::Overloaded { signal, measured, limit },
            Reason::PoolFull { threads, queued } => Self::PoolFull { threads, queued },
            Reason::PoolTimeout { threads, max_wait } => {
                Self::PoolTimeout { threads, max_wait: nanos(max_wait) }
            }
            Reason::NoEndpoint { endpoints } => Self::NoEndpoint { endpoints },
            Reason::Panicked => Self::Panicked,
            Reason::RuntimeStopped | Reason::Draining => Self::Over { kind: reason.kind() },
            Reason::Stopped { kind, why } => Self::Stopped { kind, why },
            Reason::Injected { kind } => Self::Injected { kind },
        }
    }

    #[inline(always)]
    fn breaker(Kept { words, counts, limit }: Kept) -> Self {
        Self::Breaker { words, counts, limit }
    }
}

impl Rejection {
    /// A refusal by `policy`.
    #[inline(always)]
    pub fn new(policy: Name, reason: Reason) -> Self {
        Self { policy, retry_after: UNKNOWN, why: Why::new(reason) }
    }

    /// A breaker's refusal, for this many nanoseconds, or for an [`UNKNOWN`] time.
    #[inline(always)]
    pub(crate) fn by_breaker(policy: Name, kept: Kept, retry_after: u64) -> Self {
        Self { policy, retry_after, why: Why::breaker(kept) }
    }

    /// The same refusal with the time after which calling again makes sense. It is kept in nanoseconds: 584
    /// years are the most that it can be.
    #[must_use]
    #[inline(always)]
    pub fn with_retry_after(mut self, after: Option<Duration>) -> Self {
        self.retry_after = after.map_or(UNKNOWN, |after| nanos(after).min(UNKNOWN - 1));
        self
    }

    /// The policy that refused.
    pub fn policy(&self) -> &Name {
        &self.policy
    }

    /// The kind of the policy that refused.
    pub fn kind(&self) -> PolicyKind {
        self.reason().kind()
    }

    /// Why, with the measured values.
    pub fn reason(&self) -> Reason {
        match self.why {
            Why::Breaker { words, counts, limit } => Reason::Breaker(Kept { words, counts, limit }.into()),
            Why::BulkheadFull { limit, queued } => Reason::BulkheadFull { limit, queued },
            Why::QueueTimeout { limit, max_wait } => {
                Reason::QueueTimeout { limit, max_wait: Duration::from_nanos(max_wait) }
            }
            Why::BulkheadShort { limit, free, queued, weight } => {
                Reason::BulkheadShort { limit, free, queued, weight }
            }
            Why::QueueDropped { limit, waited, target } => {
                let [waited, target] = [waited, target].map(Duration::from_nanos);
                Reason::QueueDropped { limit, waited, target }
            }
            Why::Timeout { scope, sent, limit } => {
                Reason::Timeout { scope, limit: Duration::from_nanos(limit), sent }
            }
            Why::RateLimited { permits, cost, period, queued } => {
                Reason::RateLimited { permits, period: Duration::from_nanos(period), cost, queued }
            }
            Why::KeyFull { limit, in_flight, overall, queued } => {
                Reason::KeyFull { limit, in_flight, overall, queued }
            }
            Why::LimitReached { limit, in_flight } => Reason::LimitReached { limit, in_flight },
            Why::Throttled { requests, accepted, chance } => Reason::Throttled { requests, accepted, chance },
            Why::Overloaded { signal, measured, limit } => Reason::Overloaded { signal, measured, limit },
            Why::PoolFull { threads, queued } => Reason::PoolFull { threads, queued },
            Why::PoolTimeout { threads, max_wait } => {
                Reason::PoolTimeout { threads, max_wait: Duration::from_nanos(max_wait) }
            }
            Why::NoEndpoint { endpoints } => Reason::NoEndpoint { endpoints },
            Why::Panicked => Reason::Panicked,
            Why::Over { kind: PolicyKind::Drain } => Reason::Draining,
            Why::Over { .. } => Reason::RuntimeStopped,
            Why::Stopped { kind, why } => Reason::Stopped { kind, why },
            Why::Injected { kind } => Reason::Injected { kind },
        }
    }

    /// When to come back, if the policy knows.
    #[inline]
    pub fn retry_after(&self) -> Option<Duration> {
        (self.retry_after != UNKNOWN).then(|| Duration::from_nanos(self.retry_after))
    }

    /// What this refusal says about the dependency: nothing, but for a timeout, a panic and chaos,
    /// which are its failures.
    #[inline]
    pub fn verdict(&self) -> Verdict {
        match self.why {
            Why::Timeout { sent, .. } => {
                let delivery = if sent { Delivery::MaybeProcessed } else { Delivery::NotSent };
                Failure::new(FailureKind::Timeout).delivery(delivery).into()
            }
            Why::Panicked => Failure::new(FailureKind::Panic).into(),
            Why::Injected { kind: kind @ FailureKind::Connection } => {
                Failure::new(kind).delivery(Delivery::NotSent).into()
            }
            Why::Injected { kind } => Failure::new(kind).into(),
            _ => Verdict::Ignored,
        }
    }

    /// The first refusal in the chain of sources that starts at `error`.
    ///
    /// ```
    /// # extern crate portcullis_core as portcullis;
    /// use portcullis::{Name, Reason, Rejection, TimeoutScope};
    /// use std::time::Duration;
    ///
    /// let reason = Reason::Timeout { scope: TimeoutScope::Total, limit: Duration::from_secs(1), sent: true };
    /// let error = std::io::Error::other(Rejection::new(Name::from("total"), reason));
    /// assert!(Rejection::find(&error).is_some());
    /// ```
    pub fn find<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref::<Self>() {
                return Some(found);
            }
            // An io::Error hides what it wraps from `source()`.
            if let Some(inner) = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
                next = Some(inner);
                continue;
            }
            next = error.source();
        }
        None
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejection")
            .field("policy", &self.policy)
            .field("reason", &self.reason())
            .field("retry_after", &self.retry_after())
            .finish()
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} '{}' {}", self.kind().as_str(), self.policy, self.reason())?;
        match self.retry_after() {
            // For people: whole milliseconds, and not too early.
            Some(after) => write!(f, "; retry after {:?}", Duration::from_millis(whole_millis(after))),
            None => Ok(()),
        }
    }
}

impl Error for Rejection {}

fn whole_millis(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}
