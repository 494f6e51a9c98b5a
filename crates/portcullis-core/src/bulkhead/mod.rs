//! The bulkhead: a limit on how much runs at a time, with a bounded queue in front of it.
//!
//! [`Semaphore`] gives out permits. Taking and returning one is a compare-exchange while nobody waits;
//! a lock is taken only to queue, and to hand a permit to who waits. Permits go to the first in line,
//! never past them.
//!
//! ```
//! use portcullis_core::bulkhead::{Config, Full, Semaphore};
//!
//! let bulkhead = Semaphore::new(Config { max_in_flight: 1, max_queued: 0, ..Config::default() })?;
//! assert!(bulkhead.try_acquire());
//! assert!(!bulkhead.try_acquire());
//! assert_eq!(bulkhead.enqueue(), Err(Full { queued: 0 }));
//! bulkhead.release();
//! assert!(bulkhead.try_acquire());
//! # Ok::<(), portcullis_core::ConfigError>(())
//! ```

mod config;
mod queue;
mod semaphore;

#[cfg(test)]
#[cfg(portcullis_loom)]
mod loom_tests;
#[cfg(test)]
#[cfg(not(portcullis_loom))]
mod model_tests;

pub use config::{Config, DEFAULT_MAX_IN_FLIGHT, DEFAULT_MAX_QUEUED, DEFAULT_MAX_WAIT, MAX_PERMITS};
pub use semaphore::{Enqueued, Full, Place, Semaphore};
