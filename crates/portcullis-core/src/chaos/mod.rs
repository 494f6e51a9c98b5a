//! Chaos: which faults a call meets.
//!
//! ```
//! use portcullis_core::{FailureKind, chaos::{Config, End, Fault, FaultKind, plan}};
//! use std::time::Duration;
//!
//! let faults = vec![Fault { share: 1.0, what: FaultKind::Error(FailureKind::Unavailable) }];
//! let config = Config { faults, enabled: true, ..Config::default() };
//! config.check()?;
//! let met = plan(&config, Duration::ZERO, || 0);
//! assert_eq!(met.end, Some(End::Error(FailureKind::Unavailable)));
//! # Ok::<(), portcullis_core::ConfigError>(())
//! ```

mod config;
mod latency;
mod plan;

pub use config::{Config, Fault, FaultKind, MAX_FAULTS, Schedule};
pub use latency::Latency;
pub use plan::{End, Plan, plan};
