//! The kinds of policy.

/// The kinds of policy.
///
/// ```
/// assert_eq!(portcullis_core::PolicyKind::RateLimit.to_string(), "rate_limit");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PolicyKind {
    /// A circuit breaker.
    Breaker,
    /// Retries.
    Retry,
    /// What retries and hedges may spend together.
    Budget,
    /// Hedges.
    Hedge,
    /// A limit on calls in flight.
    Bulkhead,
    /// A time limit.
    Timeout,
    /// A background probe.
    Probe,
    /// A limit on calls in a time.
    RateLimit,
    /// A limit on calls in flight that finds itself.
    AdaptiveLimit,
    /// A client that holds back what its dependency would refuse.
    Throttle,
    /// A server that refuses what it has no time for.
    LoadShed,
    /// Threads of their own.
    ThreadPool,
    /// Endpoints to choose from, of which outliers are ejected.
    Balance,
    /// Something else in place of calls that failed.
    Fallback,
    /// A connection that is made anew.
    Reconnect,
    /// Faults on purpose.
    Chaos,
    /// Several services for one thing, asked in an order.
    Failover,
    /// Answers that are kept.
    Cache,
    /// Calls that are made once for all who want the same.
    Coalesce,
    /// A runtime that calls run on.
    Executor,
    /// A server that ends.
    Drain,
    /// A check of a health monitor.
    Check,
    /// None of them: all policies of a registry, where something is told of them together.
    Registry,
    /// Spans, counts and durations of calls.
    Observer,
}

impl std::fmt::Display for PolicyKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl PolicyKind {
    /// Every kind.
    pub const ALL: [Self; 24] = [
        Self::Breaker,
        Self::Retry,
        Self::Budget,
        Self::Hedge,
        Self::Bulkhead,
        Self::Timeout,
        Self::Probe,
        Self::RateLimit,
        Self::AdaptiveLimit,
        Self::Throttle,
        Self::LoadShed,
        Self::ThreadPool,
        Self::Balance,
        Self::Fallback,
        Self::Reconnect,
        Self::Chaos,
        Self::Failover,
        Self::Cache,
        Self::Coalesce,
        Self::Executor,
        Self::Drain,
        Self::Check,
        Self::Registry,
        Self::Observer,
    ];

    /// The kind's word, as it stands in metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Breaker => "breaker",
            Self::Retry => "retry",
            Self::Budget => "budget",
            Self::Hedge => "hedge",
            Self::Bulkhead => "bulkhead",
            Self::Timeout => "timeout",
            Self::Probe => "probe",
            Self::RateLimit => "rate_limit",
            Self::AdaptiveLimit => "adaptive_limit",
            Self::Throttle => "throttle",
            Self::LoadShed => "load_shed",
            Self::ThreadPool => "thread_pool",
            Self::Balance => "balance",
            Self::Fallback => "fallback",
            Self::Reconnect => "reconnect",
            Self::Chaos => "chaos",
            Self::Failover => "failover",
            Self::Cache => "cache",
            Self::Coalesce => "coalesce",
            Self::Executor => "executor",
            Self::Drain => "drain",
            Self::Check => "check",
            Self::Registry => "registry",
            Self::Observer => "observer",
        }
    }
}
