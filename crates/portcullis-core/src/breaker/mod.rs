//! The circuit breaker: when to stop calling, and how to find out that calling works again.
//!
//! [`Machine`] is the whole decision. A closed breaker admits by one load of one word and records a
//! success by one compare-exchange on a counter of the calling thread's own; only a failure takes a
//! lock, sums the counters and asks the [trip rules](Config).
//!
//! | state | admits | leaves it |
//! |---|---|---|
//! | [`State::Closed`] | everything | when a failure meets a trip rule |
//! | [`State::Open`] | nothing | after [`Config::open_for`] |
//! | [`State::HalfOpen`] | [`Config::permits`] probes at a time | closed after [`Config::successes`], open on a failure |
//! | [`State::Isolated`] | nothing | when released |
//!
//! Every change of state starts a new epoch. An admission knows its epoch, and its result counts only
//! while that epoch lasts: a late answer from before an outage says nothing about the recovery.
//!
//! ```
//! use portcullis_core::{FailureKind, Outcome, Time, breaker::{Config, Machine, State}};
//! use std::time::Duration;
//!
//! let config = Config { consecutive_failures: Some(1), ..Config::default() };
//! let machine = Machine::new(config, 1)?;
//! let at = |ms| move || Time::from_millis(ms);
//!
//! let call = machine.admit(0, at(0)).unwrap();
//! machine.settle(0, call, Outcome::Failure(FailureKind::Timeout), at(1));
//! assert_eq!(machine.status(Time::from_millis(1)).state, State::Open);
//!
//! let refusal = machine.admit(0, at(1)).unwrap_err();
//! assert_eq!(refusal.retry_after, Some(Duration::from_secs(5)));
//! assert!(machine.admit(0, at(5_001)).is_ok(), "half-open: the first probe");
//! # Ok::<(), portcullis_core::ConfigError>(())
//! ```

mod config;
mod counters;
mod machine;
mod preset;
mod probe;
mod slow;
mod state;
mod status;
mod transition;
mod trip;

#[cfg(test)]
#[cfg(portcullis_loom)]
mod loom_tests;
#[cfg(test)]
#[cfg(not(portcullis_loom))]
mod model_tests;

pub use config::{
    Config, DEFAULT_CONSECUTIVE_FAILURES, DEFAULT_FAILURE_RATIO, DEFAULT_LEASE, DEFAULT_MINIMUM_CALLS,
    DEFAULT_OPEN_FOR, DEFAULT_PERMITS, DEFAULT_SUCCESSES, DEFAULT_WINDOW,
};
pub use machine::{Admission, Machine, Refusal};
pub use preset::Preset;
pub use state::State;
pub use status::Status;
