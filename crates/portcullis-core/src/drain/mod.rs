//! The end of a server: when no new work is taken, and when the last of it has left.
//!
//! [`Gate`] counts calls in flight, each thread in a place of its own, and is closed once. A call that finds a door
//! open was counted before the gate was closed; one that finds it closed was not let in; and whoever leaves last is
//! told so. [`Roll`] remembers which calls these are. [`Phase`] is how far it has come.
//!
//! ```
//! use portcullis_core::drain::Gate;
//!
//! let gate = Gate::new(2);
//! assert!(gate.enter(0).is_ok());
//! assert!(!gate.close(), "somebody is inside");
//! assert!(gate.enter(1).is_err());
//! assert!(gate.leave(0), "the last one");
//! ```

mod config;
mod gate;
mod phase;
mod preset;
mod roll;

#[cfg(all(test, portcullis_loom))]
mod loom_tests;

pub use config::{
    Config, DEFAULT_ANNOUNCE, DEFAULT_GRACE, DEFAULT_RETRY_AFTER, LONGEST_ANNOUNCE, LONGEST_GRACE,
    LONGEST_RETRY_AFTER,
};
pub use gate::{Gate, Shut};
pub use phase::{End, Phase};
pub use preset::Preset;
pub use roll::{NAME_BYTES, Place, ROLL_PLACES, Roll, Seen};
