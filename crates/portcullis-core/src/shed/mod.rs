//! Load shedding: a server that has more to do than it can refuses what matters least, early and cheaply, so
//! that the rest is still served in time.
//!
//! [`Shedder`] is the machine. It refuses by the calls in flight, at a limit for each class; and by a level
//! below which nothing is admitted. That level is raised while calls wait too long, or the machine is too
//! busy, so that a wanted share of the calls is refused: the share grows by steps while the overload lasts,
//! and falls by smaller ones when it is over. Which level that is, the distribution of the calls of late
//! tells. (As in DAGOR, which WeChat's services shed load with: Zhou et al., "Overload Control for Scaling
//! WeChat Microservices", 2018; and in failsafe-go's prioritizer.)
//!
//! ```
//! use portcullis_core::{Overload, Priority, Time};
//! use portcullis_core::shed::{Arrival, Config, Shedder};
//! use std::time::Duration;
//!
//! let shedder = Shedder::new(Config { max_in_flight: Some(2), ..Config::default() })?;
//! let [high, low] = [Priority::Highest, Priority::Lowest].map(Arrival::of);
//! shedder.admit(&low, 1)?;
//! assert_eq!(shedder.admit(&low, 2).unwrap_err().signal, Overload::InFlight, "half of them are for others");
//! shedder.admit(&high, 3)?;
//!
//! // Whatever looks how long work waits saw a long wait all the time.
//! for millis in 0..500 {
//!     shedder.sample(Some(Duration::from_millis(200)), Time::from_millis(millis));
//! }
//! assert!(shedder.status().cut > 0.5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arrival;
mod arrivals;
mod cause;
mod config;
mod control;
mod gate;
mod level;
mod preset;
mod shedder;
mod state;
mod watch;

#[cfg(test)]
#[cfg(portcullis_loom)]
mod loom_tests;
#[cfg(test)]
#[cfg(not(portcullis_loom))]
mod sim_tests;
#[cfg(test)]
#[cfg(not(portcullis_loom))]
mod tests;

pub use arrival::Arrival;
pub use cause::Refused;
pub use config::{
    Config, DEFAULT_COOLING, DEFAULT_INTERVAL, DEFAULT_MAX_CUT, DEFAULT_RETRY_AFTER, DEFAULT_SHARES,
    DEFAULT_TARGET, MAX_CALLS, PRESSURE_INTERVAL, Pressure, PressureFn, PressureSource, QueueDelay,
};
pub use control::{CUT_STEP, PRESSURE_STEP, RAISE_FACTOR, RAISE_STEP};
pub use level::{LEVELS, spread};
pub use preset::Preset;
pub use shedder::{Change, Shedder, Status};
