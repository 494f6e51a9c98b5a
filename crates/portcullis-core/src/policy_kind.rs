//! The kinds of policy.

/// The kinds of policy.
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
}

impl PolicyKind {
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
        }
    }
}
