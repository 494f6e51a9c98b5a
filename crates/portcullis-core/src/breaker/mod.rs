//! The circuit breaker: when to stop calling, and how to find out that calling works again.
//!
//! [`Machine`] is the whole decision. A closed breaker admits by one load of one word and records a
//! success by one compare-exchange on a counter of the calling thread's own. Refusals take no lock either;
//! a failure takes one, sums the counters and asks the [trip rules](Config), and so does a transition.
//!
//! | state | admits | leaves it |
//! |---|---|---|
//! | [`State::Closed`] | everything | when a failure or a slow call meets a trip rule |
//! | [`State::Open`] | nothing | after the [open time](Config::open_for), which grows while it stays broken |
//! | [`State::HalfOpen`] | [`Config::permits`] probes at a time | closed after [`Config::successes`], open on a failure |
//! | [`State::Recovering`] | a share that rises with time, if there is a [`Config::ramp`] | closed after the ramp, open on a failure |
//! | [`State::Isolated`] | nothing | by hand, or when its time is over |
//! | [`State::ForcedClosed`], [`State::MetricsOnly`], [`State::Disabled`] | everything | by hand, or when its time is over |
//!
//! Every change of state starts a new epoch. An admission knows its epoch, and its result counts only
//! while that epoch lasts: a late answer from before an outage says nothing about the recovery.
//!
//! ```
//! use portcullis_core::{Failure, FailureKind, Time, breaker::{Config, Machine, State}};
//! use std::time::Duration;
//!
//! let config = Config { consecutive_failures: Some(1), open_jitter: 0.0, ..Config::default() };
//! let machine = Machine::new(config, 1)?;
//! let at = |ms| move || Time::from_millis(ms);
//!
//! let call = machine.admit(0, &at(0)).unwrap();
//! machine.settle(0, call, Failure::new(FailureKind::Timeout).into(), &at(1));
//! assert_eq!(machine.status(Time::from_millis(1)).state, State::Open);
//!
//! let refusal = machine.admit(0, &at(1)).unwrap_err();
//! assert_eq!(refusal.retry_after, Some(Duration::from_secs(5)));
//! assert!(machine.admit(0, &at(5_001)).is_ok(), "half-open: the first probe");
//! # Ok::<(), portcullis_core::ConfigError>(())
//! ```

mod admission;
mod admit;
mod cells;
mod config;
mod due;
mod env;
mod evidence;
mod fail;
mod hooks;
mod log;
mod machine;
mod manual;
mod preset;
mod probe;
mod restore;
mod settings;
mod settle;
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

pub use crate::Mode;
pub use admission::Admission;
pub use admit::{Refusal, Refusing};
pub use cells::Tally;
pub use config::{
    Config, DEFAULT_BUCKETS, DEFAULT_CONSECUTIVE_FAILURES, DEFAULT_FAILURE_RATIO, DEFAULT_LEASE,
    DEFAULT_MINIMUM_CALLS, DEFAULT_OPEN_CAP, DEFAULT_OPEN_FACTOR, DEFAULT_OPEN_FOR, DEFAULT_OPEN_JITTER,
    DEFAULT_OPEN_RESET_AFTER, DEFAULT_PERMITS, DEFAULT_SLOW_RATIO, DEFAULT_SPAN, DEFAULT_SUCCESSES,
    DEFAULT_WINDOW, SlowRule, TimeRule,
};
pub use env::Env;
pub use evidence::Cause;
pub(crate) use evidence::Kept;
pub use hooks::{OpenTime, Opening, Seen, TripRule};
pub use machine::Machine;
pub use preset::Preset;
pub use restore::Memory;
pub use settings::Settings;
pub use state::State;
pub use status::{Status, WindowStatus};
pub use transition::Transition;
