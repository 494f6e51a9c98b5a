//! The jobs that are measured.

/// One job of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// A closed breaker over the last 100 calls, every call succeeds.
    Closed,
    /// A closed breaker over the last 10 calls, every call succeeds.
    Closed10,
    /// A closed breaker over the last 100,000 calls, every call succeeds.
    Closed100000,
    /// A closed breaker over the last ten seconds, every call succeeds.
    ClosedTime,
    /// An open breaker refuses, in the service's own error type.
    Open,
    /// An open breaker refuses with a boxed error.
    OpenBoxed,
    /// A closed breaker, every second call fails and none of it trips.
    HalfFailing,
    /// The same over the last 10 calls.
    HalfFailing10,
    /// The same over the last 100,000 calls, of which there have been as many.
    HalfFailing100000,
    /// The same over the last ten seconds.
    HalfFailingTime,
    /// Closed breakers by key, of which there is one.
    Keyed1,
    /// Closed breakers by key, of which there are a million, and sixteen are called.
    Keyed1m,
    /// A retry without a budget, the first attempt succeeds.
    RetryNone,
    /// A retry with a budget, the first attempt succeeds.
    RetryNoneBudget,
    /// A retry without a budget, the second attempt succeeds, no wait between.
    RetryOnce,
    /// A retry with a budget, the second attempt succeeds, no wait between.
    RetryOnceBudget,
    /// A hedge around a call that is ready at once.
    HedgeReady,
    /// A hedge around a call that is pending once, and answers long before the delay.
    HedgePending,
    /// A limit on calls in flight, with room.
    Bulkhead,
    /// The same by key, of which there is one.
    Bulkhead1,
    /// The same by key, of which there are a million, and sixteen are called.
    Bulkhead1m,
    /// A limit on calls in flight that finds itself, with room.
    AdaptiveLimit,
    /// A limit on calls in a time, with permits.
    RateLimit,
    /// The same by key, of which there is one.
    RateLimit1,
    /// The same by key, of which there are a million, and sixteen are called.
    RateLimit1m,
    /// A client that holds back what its dependency would refuse, which refuses nothing.
    Throttle,
    /// Load shedding with a limit on calls in flight, and room.
    LoadShed,
    /// A drain that has not begun, and knows who is in flight.
    Drain,
    /// A server's health, and a request of another path.
    Health,
    /// A fallback around a call that succeeds.
    Fallback,
    /// A call that could be shared, and nobody else makes it.
    Coalesce,
    /// A call as a task of its own, on the runtime of its caller.
    Executor,
    /// A balancer over ten endpoints, by the calls in flight.
    Balance,
    /// A timeout around a call that is ready at once.
    TimeoutReady,
    /// A timeout around a call that is pending once.
    TimeoutPending,
    /// Timeout, retry, breaker and bulkhead around one call that succeeds.
    Stack,
    /// The same four, put together by a pipeline.
    Pipeline,
    /// An observer of calls, and nobody who subscribes to its spans.
    Observe,
    /// The same four, with an observer of calls around them and one of attempts right inside of the retry.
    StackObserved,
}

impl Row {
    /// Every row, in the order of the table.
    pub const ALL: [Self; 39] = [
        Self::Closed,
        Self::Closed10,
        Self::Closed100000,
        Self::ClosedTime,
        Self::Open,
        Self::OpenBoxed,
        Self::HalfFailing,
        Self::HalfFailing10,
        Self::HalfFailing100000,
        Self::HalfFailingTime,
        Self::Keyed1,
        Self::Keyed1m,
        Self::RetryNone,
        Self::RetryNoneBudget,
        Self::RetryOnce,
        Self::RetryOnceBudget,
        Self::HedgeReady,
        Self::HedgePending,
        Self::Bulkhead,
        Self::Bulkhead1,
        Self::Bulkhead1m,
        Self::AdaptiveLimit,
        Self::RateLimit,
        Self::RateLimit1,
        Self::RateLimit1m,
        Self::Throttle,
        Self::LoadShed,
        Self::Drain,
        Self::Health,
        Self::Fallback,
        Self::Coalesce,
        Self::Executor,
        Self::Balance,
        Self::TimeoutReady,
        Self::TimeoutPending,
        Self::Stack,
        Self::Pipeline,
        Self::Observe,
        Self::StackObserved,
    ];

    /// The word by which the row is asked for on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Closed10 => "closed-10",
            Self::Closed100000 => "closed-100000",
            Self::ClosedTime => "closed-time",
            Self::Open => "open",
            Self::OpenBoxed => "open-boxed",
            Self::HalfFailing => "half-failing",
            Self::HalfFailing10 => "half-failing-10",
            Self::HalfFailing100000 => "half-failing-100000",
            Self::HalfFailingTime => "half-failing-time",
            Self::Keyed1 => "keyed-1",
            Self::Keyed1m => "keyed-1m",
            Self::RetryNone => "retry-none",
            Self::RetryNoneBudget => "retry-none-budget",
            Self::RetryOnce => "retry-once",
            Self::RetryOnceBudget => "retry-once-budget",
            Self::HedgeReady => "hedge-ready",
            Self::HedgePending => "hedge-pending",
            Self::Bulkhead => "bulkhead",
            Self::Bulkhead1 => "bulkhead-1",
            Self::Bulkhead1m => "bulkhead-1m",
            Self::AdaptiveLimit => "adaptive-limit",
            Self::RateLimit => "rate-limit",
            Self::RateLimit1 => "rate-limit-1",
            Self::RateLimit1m => "rate-limit-1m",
            Self::Throttle => "throttle",
            Self::LoadShed => "load-shed",
            Self::Drain => "drain",
            Self::Health => "health",
            Self::Fallback => "fallback",
            Self::Coalesce => "coalesce",
            Self::Executor => "executor",
            Self::Balance => "balance",
            Self::TimeoutReady => "timeout-ready",
            Self::TimeoutPending => "timeout-pending",
            Self::Stack => "stack",
            Self::Pipeline => "pipeline",
            Self::Observe => "observe",
            Self::StackObserved => "stack-observed",
        }
    }

    /// The row of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|row| row.name() == name)
    }

    /// How many of `calls` calls must be answered with success. A peer that
    /// answers another number does not do the job, and its cost says nothing.
    pub fn answers(self, calls: u64) -> u64 {
        match self {
            Self::Open | Self::OpenBoxed => 0,
            Self::HalfFailing | Self::HalfFailing10 | Self::HalfFailing100000 | Self::HalfFailingTime => {
                calls.div_ceil(2)
            }
            _ => calls,
        }
    }

    /// Whether the throughput of two threads is asked of this row. The others
    /// either share nothing, or are not what a busy service does all day; and
    /// one peer's open breaker waits for a millisecond of the timer whenever
    /// two threads meet at it.
    pub fn is_shared(self) -> bool {
        matches!(
            self,
            Self::Closed
                | Self::ClosedTime
                | Self::HalfFailing
                | Self::Keyed1
                | Self::Keyed1m
                | Self::RetryNoneBudget
                | Self::Bulkhead
                | Self::Bulkhead1m
                | Self::AdaptiveLimit
                | Self::RateLimit
                | Self::LoadShed
                | Self::Drain
                | Self::Throttle
                | Self::Stack
                | Self::Observe
                | Self::StackObserved
        )
    }
}
