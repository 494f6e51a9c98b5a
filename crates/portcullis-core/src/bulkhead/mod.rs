//! The bulkhead: a limit on how much runs at a time, with a bounded queue in front of it.
//!
//! [`Semaphore`] gives out permits, one or several to a call. Taking them is a compare-exchange and
//! returning them an addition while nobody waits; a lock is taken only to queue, and to hand permits to who
//! waits. They go to who is next by the [`Order`], never past him.
//!
//! ```
//! use portcullis_core::bulkhead::{Config, Demand, Full, Semaphore};
//! use portcullis_core::Time;
//!
//! let now = || Time::from_millis(0);
//! let bulkhead = Semaphore::new(Config { max_in_flight: 3, max_queued: 0, ..Config::default() })?;
//! assert_eq!(bulkhead.try_acquire(Demand::of(2)), Some(2));
//! assert_eq!(bulkhead.try_acquire(Demand::of(2)), None);
//! assert_eq!(bulkhead.enqueue(Demand::of(2), now), Err(Full { queued: 0, free: 1 }));
//! bulkhead.release(2, now);
//! assert_eq!(bulkhead.try_acquire(Demand::of(2)), Some(2));
//! # Ok::<(), portcullis_core::ConfigError>(())
//! ```

mod codel;
mod config;
mod demand;
pub mod keyed;
mod preset;
mod queue;
mod semaphore;
mod word;

#[cfg(test)]
#[cfg(portcullis_loom)]
mod loom_tests;
#[cfg(test)]
#[cfg(not(portcullis_loom))]
mod model_tests;

pub use codel::{Codel, DEFAULT_INTERVAL, DEFAULT_TARGET};
pub use config::{Config, DEFAULT_MAX_IN_FLIGHT, DEFAULT_MAX_QUEUED, DEFAULT_MAX_WAIT, MAX_PERMITS, Order};
pub use demand::Demand;
pub use preset::Preset;
pub use queue::Turn;
pub use semaphore::{Enqueued, Full, Place, Semaphore};
