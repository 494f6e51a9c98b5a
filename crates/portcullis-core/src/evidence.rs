//! What policies know when they refuse.

use std::fmt;

use crate::{
    FailureKind,
    breaker::{Cause, State},
};

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
    /// The body of the response.
    Body,
    /// A pause in the body of the response.
    Idle,
}

impl TimeoutScope {
    /// The scope's word, as it stands in metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attempt => "attempt",
            Self::Total => "total",
            Self::Body => "body",
            Self::Idle => "idle",
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
