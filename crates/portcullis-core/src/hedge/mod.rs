//! Hedging: when another attempt is sent while one runs, and what the end of one means for the others.
//!
//! [`Config`] is what a hedge is told, [`Plan`] decides for one call. The rules are those of gRFC A6
//! ("gRPC Retry Design", hedging policy).
//!
//! ```
//! use portcullis_core::{Failure, FailureKind, hedge::{Next, Plan}};
//! use std::time::Duration;
//!
//! let mut plan = Plan::new(3);
//! let failure = Failure::new(FailureKind::Unavailable);
//! assert_eq!(plan.after(&failure, Duration::MAX), Next::Now);
//! assert_eq!(plan.send(), Some(2));
//!
//! let busy = failure.retry_after(Some(Duration::from_millis(70)));
//! assert_eq!(plan.after(&busy, Duration::MAX), Next::In(Duration::from_millis(70)));
//! assert_eq!(plan.send(), Some(3));
//! assert_eq!(plan.after(&failure, Duration::MAX), Next::Never);
//! ```

mod config;
mod delay;
mod plan;
mod preset;

pub use config::{Config, DEFAULT_MAX_ATTEMPTS, DEFAULT_MAX_RETRY_AFTER, MAX_ATTEMPTS};
pub use delay::{
    DEFAULT_AT_LEAST, DEFAULT_AT_MOST, DEFAULT_INITIAL, DEFAULT_QUANTILE, Delay, DelayFn, Percentile,
};
pub use plan::{Next, Plan};
pub use preset::Preset;
