//! What policies tell: changes of state, refusals, retries, new settings.
//!
//! For logs, alerts and live pages, which want to know when something happens. All policies tell but timeouts, and
//! deadlines with them, which are to be asked. To ask how a policy is now, take its
//! [snapshot](crate::Registry::snapshot); for numbers over time there are [metrics](crate::metrics).
//!
//! Each [`Registry`](crate::Registry) has one [`Hub`]. A **listener** is called where the event happens,
//! at once, after the policy has done its work and released its locks: it may call any method of any
//! policy, of the registry and of the hub. A **stream** is read by a task, later; it is bounded, and a
//! reader that is too slow is told how many events it lost. The last events are **kept**, for who comes
//! afterwards. An [`Event`] prints itself as a sentence: `println!("{event}")`.
//!
//! ```
//! use portcullis::{Breaker, Registry, event::{EventKind, Interest}};
//! use std::sync::{Arc, atomic::{AtomicU32, Ordering::Relaxed}};
//!
//! let registry = Registry::new();
//! let refused = Arc::new(AtomicU32::new(0));
//! let count = refused.clone();
//! let _subscription = registry.events().listen(Interest::All, move |event| {
//!     if let EventKind::Rejected { enforced: true, .. } = event.what {
//!         count.fetch_add(1, Relaxed);
//!     }
//! });
//!
//! let breaker = Breaker::builder("inventory").registry(&registry).build()?;
//! breaker.isolate();
//! breaker.try_admit().unwrap_err();
//! assert_eq!(refused.load(Relaxed), 1);
//! # Ok::<(), portcullis::ConfigError>(())
//! ```
//!
//! # Order
//!
//! Events of one thread are told in the order in which they happened, but what a listener itself changes is
//! told at once: to listeners after it, before the event that it was told. Those of several threads are told
//! as they come, and two changes of one policy that are made at almost the same time may be told the other way
//! round. Who needs to know the state asks the policy.
//!
//! # Cost
//!
//! Nobody may listen to refusals, retries and hedges: then one costs an atomic load. Changes are rare, and
//! always kept.

mod audit;
mod emitter;
mod hub;
mod listener;
mod retried;
mod ring;
mod stream;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use portcullis_core::{
    FailureKind, Name, Overload, PolicyKind, Rejection, Time,
    breaker::{State, Transition},
    drain::Phase,
    health::Level,
    outlier::{Change, What},
};

pub use audit::Audit;
pub use emitter::Emitter;
pub use hub::{Hub, KEPT, STREAM_BUFFER};
pub use listener::{Interest, Subscription};
pub use retried::Retried;
pub use ring::KEPT_PER_POLICY;
pub use stream::{EventStream, Received};

/// Something that happened to a policy.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// The hub's number of it, from 1 and growing: who has seen this one needs none up to it again.
    pub seq: u64,
    /// The policy it happened to; where that is one key of a keyed policy, in the key's name, such as
    /// "upstream/host-a".
    pub policy: Name,
    /// The kind of that policy.
    pub kind: PolicyKind,
    /// When.
    pub at: Time,
    /// What.
    pub what: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum EventKind {
    /// A breaker went from one state to another.
    StateChange(Transition),
    /// A policy refused a call, or would have.
    Rejected {
        /// The refusal, with what was measured.
        rejection: Rejection,
        /// Whether the call was refused indeed; `false` when it was let through and only counted.
        enforced: bool,
    },
    /// A failed call is made again.
    Retry {
        /// The number of the attempt to be made.
        attempt: u32,
        /// How the one before it failed.
        after: FailureKind,
        /// How long it waits before it.
        wait: Duration,
    },
    /// A call that was made again succeeded, or one that failed was not made again: also one of a single
    /// attempt. [`Retried::stopped`] says why.
    Retried(Retried),
    /// A call is made once more: while it runs, because it takes long, or at once, because an attempt failed.
    Hedge {
        /// The number of the attempt to be made.
        attempt: u32,
    },
    /// A call panicked on a thread of a pool, or in a task of an executor.
    Panicked {
        /// What the panic said, if it said anything; the beginning of it, if that was long.
        message: Arc<str>,
    },
    /// Something else is answered in place of a call that failed.
    Fallback {
        /// How it failed; `None` when it was refused below.
        after: Option<FailureKind>,
    },
    /// A call that waited for another of its key makes its own: that one is gone.
    Promoted {
        /// How many wait for it.
        waiting: u64,
    },
    /// A call meets a fault on purpose.
    Injected {
        /// The fault's [word](crate::chaos::FaultKind::as_str).
        fault: &'static str,
    },
    /// A connection was made, or is gone.
    Connection {
        /// Whether there is one now.
        connected: bool,
        /// Attempts that failed in a row; 0 for a connection that broke.
        failures: u32,
    },
    /// A limit that finds itself was moved.
    LimitChanged {
        /// What it was.
        from: u32,
        /// What it is.
        to: u32,
    },
    /// A server has more to do than it can, and refuses calls from now on; or no longer has.
    OverloadChanged {
        /// Whether it began.
        overloaded: bool,
        /// By what it was seen; never by calls in flight, which change with every call.
        signal: Overload,
        /// What was measured; of a wait, in seconds. When it is over, what was measured last that was too much.
        measured: f64,
        /// What is allowed.
        limit: f64,
    },
    /// A server that ends goes on to its next phase.
    DrainChanged {
        /// The phase.
        phase: Phase,
        /// Calls that are in flight.
        in_flight: u64,
    },
    /// An endpoint was ejected, or returned.
    Endpoint(Change),
    /// What a check or a probe looks at is better or worse than it was.
    HealthChanged {
        /// How it was.
        from: Level,
        /// How it is.
        to: Level,
        /// What the check said, if it said anything; the beginning of it, if that was long.
        message: Option<Arc<str>>,
    },
    /// A policy was stopped: it refuses everything.
    Stopped {
        /// Why.
        why: &'static str,
    },
    /// A policy that was stopped goes on.
    Released,
    /// A policy was given other settings.
    ConfigChanged,
    /// Somebody did something to it by hand.
    Audit(Audit),
}

impl EventKind {
    /// One word for it, as it stands in logs and JSON.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::StateChange(_) => "state_change",
            Self::Rejected { .. } => "rejected",
            Self::Retry { .. } => "retry",
            Self::Retried(_) => "retried",
            Self::Hedge { .. } => "hedge",
            Self::Panicked { .. } => "panicked",
            Self::Connection { .. } => "connection",
            Self::Fallback { .. } => "fallback",
            Self::Promoted { .. } => "promoted",
            Self::Injected { .. } => "injected",
            Self::LimitChanged { .. } => "limit_changed",
            Self::OverloadChanged { .. } => "overload_changed",
            Self::DrainChanged { .. } => "drain_changed",
            Self::Endpoint(Change { what: What::Ejected { .. }, .. }) => "ejected",
            Self::Endpoint(Change { what: What::Returned { .. }, .. }) => "returned",
            Self::HealthChanged { .. } => "health_changed",
            Self::Stopped { .. } => "stopped",
            Self::Released => "released",
            Self::ConfigChanged => "config_changed",
            Self::Audit(_) => "audit",
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shadow = match self.what {
            EventKind::Rejected { enforced: false, .. } => " would have refused: it",
            _ => "",
        };
        write!(f, "{} '{}'{shadow} {}", self.kind.as_str(), self.policy, self.what)
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StateChange(change) => {
                write!(f, "was {} and ", change.from)?;
                match change.to {
                    // It begins with "is", and tells what the breaker opened by.
                    State::Open => change.evidence.fmt(f),
                    to => write!(f, "is {to}"),
                }
            }
            Self::Rejected { rejection, .. } => rejection.reason().fmt(f),
            Self::Retry { attempt, after, wait } => {
                write!(f, "makes attempt {attempt} in {wait:?}, after {}", after.as_str())
            }
            Self::Retried(retried) => retried.fmt(f),
            Self::Hedge { attempt } => write!(f, "makes attempt {attempt} while others run"),
            Self::Panicked { message } => write!(f, "saw a call panic: {message}"),
            Self::Fallback { after } => {
                write!(f, "answers something else, after {}", after.map_or("a refusal", FailureKind::as_str))
            }
            Self::Promoted { waiting } => write!(f, "lets a call lead for which {waiting} wait"),
            Self::Injected { fault } => write!(f, "lets a call meet {fault}"),
            Self::Connection { connected: true, .. } => f.write_str("is connected"),
            Self::Connection { failures: 0, .. } => f.write_str("lost its connection"),
            Self::Connection { .. } => f.write_str("cannot connect"),
            Self::LimitChanged { from, to } => write!(f, "had a limit of {from} and has one of {to}"),
            Self::OverloadChanged { overloaded: true, signal, measured, limit } => {
                write!(f, "is overloaded: {} is {measured}, allowed is {limit}", signal.as_str())
            }
            Self::OverloadChanged { overloaded: false, .. } => f.write_str("is no longer overloaded"),
            Self::DrainChanged { phase, in_flight } => write!(f, "is {phase}: {in_flight} in flight"),
            Self::Endpoint(change) => change.fmt(f),
            Self::HealthChanged { from, to, message: None } => write!(f, "was {from} and is {to}"),
            Self::HealthChanged { from, to, message: Some(message) } => {
                write!(f, "was {from} and is {to}: {message}")
            }
            Self::Stopped { why } => write!(f, "is stopped: {why}"),
            Self::Released => f.write_str("goes on"),
            Self::ConfigChanged => f.write_str("has new settings"),
            Self::Audit(audit) => audit.fmt(f),
        }
    }
}
