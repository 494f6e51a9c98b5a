//! The rate limit: how many permits are given out in a time, and exactly when the next one is.
//!
//! [`Limiter`] gives out permits. By default it is the generic cell rate algorithm (GCRA, ITU-T I.371): a bucket
//! of [`burst`](Config::burst) permits that fills at a steady rate, kept as the one moment at which it will be full,
//! in one atomic word. Taking a permit is one compare-exchange; a lock is taken only where somebody waits or
//! reserves, by a [`Warmup`], and by the other [`Algorithm`].
//!
//! Over any window of any length, never more is granted than the burst and what the rate gives in that window.
//! The wait that a refusal names is exact: a nanosecond earlier the same request is refused, and then it is not.
//!
//! ```
//! use portcullis_core::{Time, rate::{Config, Limiter}};
//! use std::time::Duration;
//!
//! let rules = Config { permits: 10, burst: Some(1), ..Config::default() };
//! let limiter = Limiter::new(rules)?;
//! let now = Time::from_millis(500);
//! assert!(limiter.try_take(1, now));
//! let refused = limiter.refuse(1, now);
//! assert_eq!(refused.wait, Some(Duration::from_millis(100)));
//! assert!(limiter.try_take(1, Time::from_millis(600)));
//! # Ok::<(), portcullis_core::ConfigError>(())
//! ```

mod config;
mod gcra;
mod limiter;
mod line;
mod log;
mod meter;
mod preset;
mod restore;
mod warm;

#[cfg(test)]
#[cfg(portcullis_loom)]
mod loom_tests;
#[cfg(test)]
#[cfg(not(portcullis_loom))]
mod tests;

pub use config::{
    Algorithm, Config, DEFAULT_MAX_QUEUED, DEFAULT_MAX_WAIT, DEFAULT_PERIOD, DEFAULT_PERMITS, MAX_PERMITS,
    MAX_QUEUED, Warmup,
};
pub use limiter::{Asked, Limiter, Place, Refused, Reserved, Turn};
pub use preset::Preset;
pub use restore::Memory;
