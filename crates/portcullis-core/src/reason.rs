//! Why a policy refuses.

use std::{fmt, time::Duration};

use crate::{BreakerEvidence, FailureKind, Overload, PolicyKind, TimeoutScope};

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
    /// The call waited for a thread of a pool for as long as it may.
    PoolTimeout {
        /// Threads there are.
        threads: u32,
        /// The longest wait allowed.
        max_wait: Duration,
    },
    /// A balancer has no endpoint that the call could go to.
    NoEndpoint {
        /// Endpoints there are.
        endpoints: u32,
    },
    /// The call panicked on a thread of a pool. It is its failure, and not a refusal.
    Panicked,
    /// The runtime that the call was to run on has been shut down.
    RuntimeStopped,
    /// The server ends, and takes no new work.
    Draining,
    /// Somebody stopped it: it refuses everything until it is released.
    Stopped {
        /// The kind of the policy that was stopped.
        kind: PolicyKind,
        /// Why.
        why: &'static str,
    },
    /// Chaos made it fail, as a failure of this kind. It is a failure, and not a refusal.
    Injected {
        /// The kind.
        kind: FailureKind,
    },
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
            Self::NoEndpoint { .. } => PolicyKind::Balance,
            Self::Throttled { .. } => PolicyKind::Throttle,
            Self::Overloaded { .. } => PolicyKind::LoadShed,
            Self::PoolFull { .. } | Self::PoolTimeout { .. } | Self::Panicked => PolicyKind::ThreadPool,
            Self::RuntimeStopped => PolicyKind::Executor,
            Self::Draining => PolicyKind::Drain,
            Self::Stopped { kind, .. } => *kind,
            Self::Injected { .. } => PolicyKind::Chaos,
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
            Self::PoolTimeout { .. } => "pool_timeout",
            Self::Panicked => "panicked",
            Self::NoEndpoint { .. } => "no_endpoint",
            Self::RuntimeStopped => "runtime_stopped",
            Self::Draining => "draining",
            Self::Stopped { .. } => "stopped",
            Self::Injected { .. } => "injected",
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
            Self::PoolTimeout { threads, max_wait } => {
                write!(f, "had no thread within {max_wait:?}: {threads} are busy")
            }
            Self::Panicked => f.write_str("saw it panic"),
            Self::NoEndpoint { endpoints } => write!(f, "has no endpoint to call: {endpoints} are known"),
            Self::RuntimeStopped => f.write_str("has no runtime any more"),
            Self::Draining => f.write_str("takes no new work: the server ends"),
            Self::Stopped { why, .. } => write!(f, "is stopped: {why}"),
            Self::Injected { kind } => write!(f, "made it fail: {}", kind.as_str()),
        }
    }
}
