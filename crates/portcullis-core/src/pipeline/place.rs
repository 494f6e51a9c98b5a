//! Where each policy stands, and why there.

use std::fmt;

/// For which side of a call a pipeline is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Calls that are made to a dependency.
    Client,
    /// Calls that come from others.
    Server,
}

impl Side {
    /// Both sides.
    pub const ALL: [Self; 2] = [Self::Client, Self::Server];

    /// The side's word, as it stands in configurations and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A policy's place, from the outside to the inside: the order of the places is the order of the layers. It is one for
/// both sides; some places there are on [one side](Self::is_on) alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Place {
    /// Answers about the health of the server.
    Health,
    /// Spans, counts and durations of calls.
    Observe,
    /// A server that ends.
    Drain,
    /// Something else in place of calls that failed.
    Fallback,
    /// Answers that are kept.
    Cache,
    /// The time that the whole call has.
    Deadline,
    /// Calls that are made once for all who want the same.
    Coalesce,
    /// A server that refuses what it has no time for.
    LoadShed,
    /// Attempts after one that failed.
    Retry,
    /// Attempts beside one that is late.
    Hedge,
    /// Spans, counts and durations of attempts.
    Attempts,
    /// A client that holds back what its dependency would refuse.
    Throttle,
    /// A limit on calls in a time.
    RateLimit,
    /// A circuit breaker.
    Breaker,
    /// A limit on calls in flight.
    Bulkhead,
    /// A limit on calls in flight that finds itself.
    AdaptiveLimit,
    /// A runtime that calls run on.
    Executor,
    /// Threads of their own.
    ThreadPool,
    /// The time that one attempt has.
    AttemptTimeout,
    /// Faults on purpose.
    Chaos,
}

impl Place {
    /// Every place, from the outside to the inside.
    pub const ALL: [Self; 20] = [
        Self::Health,
        Self::Observe,
        Self::Drain,
        Self::Fallback,
        Self::Cache,
        Self::Deadline,
        Self::Coalesce,
        Self::LoadShed,
        Self::Retry,
        Self::Hedge,
        Self::Attempts,
        Self::Throttle,
        Self::RateLimit,
        Self::Breaker,
        Self::Bulkhead,
        Self::AdaptiveLimit,
        Self::Executor,
        Self::ThreadPool,
        Self::AttemptTimeout,
        Self::Chaos,
    ];

    /// The place's word, as it stands in configurations and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Observe => "observe",
            Self::Drain => "drain",
            Self::Fallback => "fallback",
            Self::Cache => "cache",
            Self::Deadline => "deadline",
            Self::Coalesce => "coalesce",
            Self::LoadShed => "load_shed",
            Self::Retry => "retry",
            Self::Hedge => "hedge",
            Self::Attempts => "attempts",
            Self::Throttle => "throttle",
            Self::RateLimit => "rate_limit",
            Self::Breaker => "breaker",
            Self::Bulkhead => "bulkhead",
            Self::AdaptiveLimit => "adaptive_limit",
            Self::Executor => "executor",
            Self::ThreadPool => "thread_pool",
            Self::AttemptTimeout => "attempt_timeout",
            Self::Chaos => "chaos",
        }
    }

    /// Why it stands where it does.
    pub const fn why(self) -> &'static str {
        match self {
            Self::Health => "answers its paths itself, whatever the layers below it refuse",
            Self::Observe => "sees what callers see, however it came about",
            Self::Drain => {
                "knows every call that is in flight, and refuses before any of them costs anything"
            }
            Self::Fallback => "covers whatever goes wrong below, and answers also when the time is over",
            Self::Cache => "a hit needs no time, no permit and no dependency",
            Self::Deadline => "times everything below: waits in lines, and all attempts together",
            Self::Coalesce => {
                "whoever shares a call has a deadline of their own, and takes one permit together"
            }
            Self::LoadShed => "refuses before any line is waited in",
            Self::Retry => "each attempt is admitted by all below, so that an open breaker ends the attempts",
            Self::Hedge => "an attempt of the retry is made with its hedges, and fails when all of them do",
            Self::Attempts => "sees each attempt by itself, also one that is refused below or given up",
            Self::Throttle => {
                "sees what the dependency refuses of the attempts, and spends no permit on the rest"
            }
            Self::RateLimit => "whoever waited for a permit asks the breaker after the wait and not before",
            Self::Breaker => {
                "sees every attempt, and none of the refusals below counts against the dependency"
            }
            Self::Bulkhead => "what an open breaker refuses takes no room",
            Self::AdaptiveLimit => "measures attempts that run, and not those that wait",
            Self::Executor => "only what was admitted runs elsewhere",
            Self::ThreadPool => "only what was admitted takes a thread",
            Self::AttemptTimeout => "times the dependency alone, and what it ends is a failure to all above",
            Self::Chaos => "fails as the dependency would",
        }
    }

    /// Whether there is such a place on this side.
    pub const fn is_on(self, side: Side) -> bool {
        self.not_on(side).is_none()
    }

    /// Why there is no such place on this side.
    pub(super) const fn not_on(self, side: Side) -> Option<&'static str> {
        match (side, self) {
            (Side::Client, Self::Health | Self::Drain) => {
                Some("it is for a server, which others ask and which ends; a client is asked by nobody")
            }
            (Side::Client, Self::LoadShed) => {
                Some("it is for a server, and refuses what others ask of it; a client has a throttle")
            }
            (Side::Server, Self::Attempts) => Some("it is for a client: a server makes no attempts"),
            (Side::Server, Self::Retry | Self::Hedge) => Some(
                "it is for a client: a server that does work again multiplies what its callers try again",
            ),
            (Side::Server, Self::Throttle | Self::Breaker) => {
                Some("it is for a client, and spares a dependency; a server spares itself by load shedding")
            }
            (Side::Server, Self::AttemptTimeout) => {
                Some("it is for a client: without a retry there is one attempt, and the deadline times it")
            }
            _ => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
