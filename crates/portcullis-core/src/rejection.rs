//! The library's own refusal.

use std::{error::Error, fmt, time::Duration};

use crate::{
    Delivery, Failure, FailureKind, Name, PolicyKind, Verdict,
    breaker::{Cause, Kept, State},
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
    Panicked,
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
            Reason::Panicked => Self::Panicked,
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
            Why::Panicked => Reason::Panicked,
        }
    }

    /// When to come back, if the policy knows.
    #[inline]
    pub fn retry_after(&self) -> Option<Duration> {
        (self.retry_after != UNKNOWN).then(|| Duration::from_nanos(self.retry_after))
    }

    /// What this refusal says about the dependency: nothing, but for a timeout and a panic, which are its
    /// failures.
    #[inline]
    pub fn verdict(&self) -> Verdict {
        match self.why {
            Why::Timeout { sent, .. } => {
                let delivery = if sent { Delivery::MaybeProcessed } else { Delivery::NotSent };
                Failure::new(FailureKind::Timeout).delivery(delivery).into()
            }
            Why::Panicked => Failure::new(FailureKind::Panic).into(),
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

/// Why a policy refused, with what it measured.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// A breaker does not let calls through.
    Breaker(BreakerEvidence),
    /// Every permit of a bulkhead is taken, and so is its queue.
    BulkheadFull {
        /// Permits there are.
        limit: u32,
        /// Calls that waited for one.
        queued: u32,
    },
    /// The call waited in a bulkhead's queue for as long as it may.
    QueueTimeout {
        /// Permits there are.
        limit: u32,
        /// The longest wait allowed.
        max_wait: Duration,
    },
    /// Not as many permits of a bulkhead are free as the call takes, or they are kept for other calls; and its
    /// queue is full.
    BulkheadShort {
        /// Permits there are.
        limit: u32,
        /// Permits that were free.
        free: u32,
        /// Calls that waited.
        queued: u32,
        /// Permits that the call takes.
        weight: u32,
    },
    /// The call had waited in a bulkhead's queue for too long when its turn came, and so had all others of
    /// late.
    QueueDropped {
        /// Permits there are.
        limit: u32,
        /// How long it had waited.
        waited: Duration,
        /// How long calls should wait.
        target: Duration,
    },
    /// The call did not end in time.
    Timeout {
        /// What was timed.
        scope: TimeoutScope,
        /// The time allowed.
        limit: Duration,
        /// Whether the inner service had been called by then.
        sent: bool,
    },
    /// A rate limit has no permits left for the call.
    RateLimited {
        /// Permits in a period.
        permits: u32,
        /// The period.
        period: Duration,
        /// Permits that the call takes.
        cost: u32,
        /// Calls that waited for theirs.
        queued: u32,
    },
    /// The call's key holds as many permits of a bulkhead as it may, or as is fair while others want some.
    KeyFull {
        /// Permits that the key may hold now.
        limit: u32,
        /// Permits that it holds.
        in_flight: u32,
        /// Permits that all keys hold.
        overall: u32,
        /// Calls of the key that waited.
        queued: u32,
    },
    /// As many calls are in flight as a limit that finds itself has found to be good.
    LimitReached {
        /// The limit at that moment.
        limit: u32,
        /// Calls in flight.
        in_flight: u32,
    },
    /// The dependency has refused so much of late that this call was held back.
    Throttled {
        /// Calls in the window, with those that were held back.
        requests: u32,
        /// Calls in the window that the dependency took.
        accepted: u32,
        /// The chance with which a call was held back, 0 to 1.
        chance: f64,
    },
    /// The service has more to do than it can.
    Overloaded {
        /// By what that is seen.
        signal: Overload,
        /// What was measured, in the signal's unit.
        measured: f64,
        /// What is allowed, in the same unit.
        limit: f64,
    },
    /// All threads of a pool are busy, and so is its queue.
    PoolFull {
        /// Threads there are.
        threads: u32,
        /// Calls that waited for one.
        queued: u32,
    },
    /// The call panicked on a thread of a pool. It is its failure, and not a refusal.
    Panicked,
}

impl Reason {
    /// The kind of policy that gives this reason.
    pub fn kind(&self) -> PolicyKind {
        match self {
            Self::Breaker(_) => PolicyKind::Breaker,
            Self::BulkheadFull { .. }
            | Self::BulkheadShort { .. }
            | Self::QueueTimeout { .. }
            | Self::QueueDropped { .. }
            | Self::KeyFull { .. } => PolicyKind::Bulkhead,
            Self::Timeout { .. } => PolicyKind::Timeout,
            Self::RateLimited { .. } => PolicyKind::RateLimit,
            Self::LimitReached { .. } => PolicyKind::AdaptiveLimit,
            Self::Throttled { .. } => PolicyKind::Throttle,
            Self::Overloaded { .. } => PolicyKind::LoadShed,
            Self::PoolFull { .. } | Self::Panicked => PolicyKind::ThreadPool,
        }
    }

    /// One word for it, as it stands in metrics, headers and JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Breaker(evidence) => evidence.state.as_str(),
            Self::BulkheadFull { .. } => "full",
            Self::BulkheadShort { .. } => "short",
            Self::QueueTimeout { .. } => "queue_timeout",
            Self::QueueDropped { .. } => "queue_dropped",
            Self::Timeout { .. } => "timeout",
            Self::RateLimited { .. } => "rate_limited",
            Self::KeyFull { .. } => "key_full",
            Self::LimitReached { .. } => "limit_reached",
            Self::Throttled { .. } => "throttled",
            Self::Overloaded { signal, .. } => signal.as_str(),
            Self::PoolFull { .. } => "pool_full",
            Self::Panicked => "panicked",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Breaker(evidence) => evidence.fmt(f),
            Self::BulkheadFull { limit, queued } => {
                write!(f, "is full: {limit} in flight, {queued} queued")
            }
            Self::QueueTimeout { limit, max_wait } => {
                write!(f, "had no permit within {max_wait:?}: {limit} in flight")
            }
            Self::BulkheadShort { limit, free, queued, weight } => {
                write!(f, "has no room for {weight}: {free} of {limit} free, {queued} queued")
            }
            Self::QueueDropped { limit, waited, target } => {
                write!(
                    f,
                    "dropped it after {waited:?} in the queue, where {target:?} is fine: {limit} in flight"
                )
            }
            Self::Timeout { scope, limit, sent: true } => {
                write!(f, "had no answer within {limit:?} ({})", scope.as_str())
            }
            Self::Timeout { scope, limit, sent: false } => {
                write!(f, "was not ready within {limit:?} ({})", scope.as_str())
            }
            Self::RateLimited { permits, period, cost, queued } => {
                write!(f, "has no {cost} left of {permits} in {period:?}, {queued} queued")
            }
            Self::KeyFull { limit, in_flight, overall, queued } => {
                write!(
                    f,
                    "has no room for this key: {in_flight} of {limit} in flight, {queued} queued, {overall} overall"
                )
            }
            Self::LimitReached { limit, in_flight } => {
                write!(f, "is at its limit: {in_flight} of {limit} in flight")
            }
            Self::Throttled { requests, accepted, chance } => {
                write!(f, "held it back: {accepted} of {requests} calls were accepted, chance {chance:.2}")
            }
            Self::Overloaded { signal, measured, limit } => {
                write!(f, "is overloaded: {} is {measured}, allowed is {limit}", signal.as_str())
            }
            Self::PoolFull { threads, queued } => {
                write!(f, "is full: {threads} threads are busy, {queued} queued")
            }
            Self::Panicked => f.write_str("saw it panic"),
        }
    }
}

/// What a breaker knew when it refused.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct BreakerEvidence {
    /// The state that refused.
    pub state: State,
    /// The rule that opened it; `None` when it was opened by hand.
    pub cause: Option<Cause>,
    /// What that rule allows: failures, or a share.
    pub limit: f64,
    /// Failures in the window when it opened.
    pub failures: u32,
    /// Slow calls in the window when it opened; counted only when there is a rule for them.
    pub slow: u32,
    /// Calls in the window when it opened.
    pub calls: u32,
    /// The kind of the last failure, if there was one.
    pub last_failure: Option<FailureKind>,
}

impl BreakerEvidence {
    /// The share of calls that failed when the breaker opened; 0 when it was opened by hand.
    pub fn failure_ratio(&self) -> f64 {
        if self.calls == 0 { 0.0 } else { f64::from(self.failures) / f64::from(self.calls) }
    }
}

impl fmt::Display for BreakerEvidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "is {}", self.state.as_str())?;
        match self.cause {
            Some(Cause::SlowRatio) => write!(f, ": {} of {} calls were slow", self.slow, self.calls)?,
            Some(_) => write!(f, ": {} of {} calls failed", self.failures, self.calls)?,
            None => {}
        }
        match self.cause {
            Some(Cause::Custom) => f.write_str(" (custom)")?,
            Some(cause) => write!(f, " ({} {})", cause.as_str(), self.limit)?,
            None => {}
        }
        match self.last_failure {
            Some(kind) => write!(f, ", last failure {}", kind.as_str()),
            None => Ok(()),
        }
    }
}

/// What a timeout times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimeoutScope {
    /// One attempt, below a retry.
    Attempt,
    /// The whole call, around retries.
    Total,
}

impl TimeoutScope {
    /// The scope's word, as it stands in metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attempt => "attempt",
            Self::Total => "total",
        }
    }
}

/// By what a service is seen to have more to do than it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Overload {
    /// Calls in flight.
    InFlight,
    /// The time that calls wait before anything is done for them, in seconds.
    QueueDelay,
    /// How busy the machine is, as a share from 0 to 1.
    Pressure,
    /// How much the call matters among those of late, as a level; the higher, the more.
    Priority,
}

impl Overload {
    /// The signal's word, as it stands in metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InFlight => "in_flight",
            Self::QueueDelay => "queue_delay",
            Self::Pressure => "pressure",
            Self::Priority => "priority",
        }
    }
}
