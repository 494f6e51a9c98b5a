//! What a pool of threads of one's own can be told.
//!
//! The threads are nothing that this crate knows. What it decides is who may have one: that is a
//! [`Semaphore`](crate::bulkhead::Semaphore) with a permit for each, made by
//! [`Config::permits`].
//!
//! ```
//! use portcullis_core::bulkhead::{Demand, Semaphore};
//! use portcullis_core::pool::Config;
//!
//! let config = Config { threads: 2, ..Config::default() };
//! config.check()?;
//! let permits = Semaphore::new(config.permits())?;
//! assert_eq!(permits.try_acquire(Demand::of(2)), Some(2));
//! assert_eq!(permits.try_acquire(Demand::ONE), None);
//! # Ok::<(), portcullis_core::ConfigError>(())
//! ```

mod config;
mod preset;

pub use config::{
    Config, DEFAULT_KEEP_ALIVE, DEFAULT_MAX_QUEUED, DEFAULT_MAX_WAIT, DEFAULT_THREADS, MAX_QUEUED,
    MAX_THREADS,
};
pub use preset::Preset;
