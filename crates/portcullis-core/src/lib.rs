//! The decisions behind Portcullis: state machines, windows, backoffs, budgets and queues, as plain values.
//!
//! Nothing here waits, reads a clock, draws a random number or knows a runtime: time, randomness and
//! the calling thread's shard are arguments. That makes every decision a function that can be tested
//! against a model, and every lock-free part one that [loom](https://docs.rs/loom) can explore.
//!
//! Users want the crate `portcullis`; this one is for those who build their own layers.
//!
//! ```
//! use portcullis_core::{Outcome, Time, breaker};
//!
//! let machine = breaker::Machine::new(breaker::Config::default(), 1)?;
//! let now = || Time::from_millis(0);
//! let admission = machine.admit(0, &now).expect("a new breaker is closed");
//! machine.settle(0, admission, Outcome::Success, &now);
//! assert_eq!(machine.status(now()).successes, 1);
//! # Ok::<(), portcullis_core::ConfigError>(())
//! ```
#![forbid(unsafe_code)]

pub mod adaptive;
pub mod balance;
pub mod breaker;
pub mod bulkhead;
pub mod cache;
pub mod chaos;
pub mod coalesce;
mod config;
pub mod drain;
mod evidence;
pub mod fallback;
mod grpc;
pub mod health;
pub mod hedge;
mod mode;
mod name;
pub mod observe;
pub mod outlier;
pub mod pipeline;
mod policy_kind;
pub mod pool;
mod priority;
pub mod quantile;
pub mod rate;
mod reason;
mod rejection;
pub mod retry;
mod shard;
pub mod shed;
mod sync;
pub mod throttle;
mod time;
pub mod timeout;
mod verdict;
pub mod window;

pub use config::{ConfigError, check_range};
pub use evidence::{BreakerEvidence, Overload, TimeoutScope};
pub use grpc::{GrpcCode, GrpcCodes, UnknownGrpcCode};
pub use mode::Mode;
pub use name::Name;
pub use policy_kind::PolicyKind;
pub use priority::{Priority, UnknownPriority};
pub use reason::Reason;
pub use rejection::Rejection;
pub use shard::Padded;
pub use time::Time;
pub use verdict::{Delivery, Failure, FailureKind, Outcome, Severity, Verdict};
