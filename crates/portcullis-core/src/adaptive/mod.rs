//! The adaptive limit: how many calls a dependency bears at a time, found by how long they take and how they end.
//!
//! [`Limiter`] is the shared machine, pure in time: who calls takes a place, and says at the end when the call began
//! and how it ended. What calls tell is collected by each thread on its own cache lines; when a window is over, one of them
//! closes it and asks the [`Algorithm`] for the next limit.
//!
//! ```
//! use portcullis_core::{Time, adaptive::{Config, Limiter, Sample}};
//!
//! let limiter = Limiter::new(Config { initial: 2, ..Config::default() }, 1)?;
//! let started = Time::from_millis(0);
//! let in_flight = [limiter.try_acquire(), limiter.try_acquire(), limiter.try_acquire()];
//! assert_eq!(in_flight, [Some(1), Some(2), None]);
//! limiter.release(0, started, 1, Sample::Success, Time::from_millis(10));
//! assert_eq!(limiter.in_flight(), 1);
//! # Ok::<(), portcullis_core::ConfigError>(())
//! ```
//!
//! # Guards
//!
//! All algorithms are behind the same ones, because each of these has been seen to break limits elsewhere:
//!
//! - A decision goes by a window of at least ten calls, and one call alone decides nothing.
//! - A limit is not raised while less than half of it is used.
//! - What is congestion counts once: only calls that began after the limit was lowered can lower it again, and at most
//!   once a window. Up to 2 % of a window are tolerated.
//! - After a change, latencies do not count until the calls that met the old limit are through.
//! - How long calls take without a queue is looked at from time to time, with the limit halved for a moment. It
//!   goes up by such looks only, so that a queue that stays does not become what is usual; and it does go up by them, so that
//!   a dependency that became slower is not starved.
//! - Nobody but who holds the lock takes the samples, and takes each once.

mod aimd;
mod algorithm;
mod baseline;
mod brain;
mod config;
mod correlation;
mod gradient;
mod limiter;
mod preset;
mod sample;
mod samples;
mod status;
mod vegas;
mod window;
mod word;

#[cfg(test)]
#[cfg(portcullis_loom)]
mod loom_tests;
#[cfg(test)]
#[cfg(not(portcullis_loom))]
mod tests;

pub use aimd::{Aimd, DEFAULT_INCREASE};
pub use algorithm::Algorithm;
pub use config::{
    Config, DEFAULT_BACKOFF, DEFAULT_INITIAL, DEFAULT_MAX, DEFAULT_MIN, DEFAULT_MIN_SAMPLES,
    DEFAULT_PROBE_EVERY, DEFAULT_TOLERATED, DEFAULT_WINDOW, MAX_LIMIT,
};
pub use correlation::{Correlation, DEFAULT_WINDOWS};
pub use gradient::{DEFAULT_LONG_WINDOW, DEFAULT_QUEUE, DEFAULT_SMOOTHING, DEFAULT_TOLERANCE, Gradient};
pub use limiter::Limiter;
pub use preset::Preset;
pub use sample::Sample;
pub use status::{Change, Status};
pub use vegas::{DEFAULT_ALPHA, DEFAULT_BETA, Vegas};
