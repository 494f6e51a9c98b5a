//! Outlier ejection: endpoints of a fleet that do worse than the others get no calls for a while.
//!
//! For a client that has several endpoints to choose from. A [breaker](crate::breaker) knows one dependency
//! and refuses calls; this knows a whole fleet and only takes away a choice, never so many that nobody is
//! left.
//!
//! A [`Fleet`] has [`Endpoint`]s, and is told how calls on them ended. It ejects an endpoint at once for
//! failures in a row, and at the end of each interval by comparison with the others: its success rate is
//! far below theirs, or nearly everything failed. An endpoint that was ejected returns after a time, which
//! grows each time, with all its counts at zero.
//!
//! ```
//! use portcullis_core::{Failure, FailureKind, Name, Time, outlier::{Config, Fleet}};
//! use std::time::Duration;
//!
//! let now = Time::ORIGIN;
//! let fleet = Fleet::new(Config::default(), now)?;
//! let ends: Vec<_> = ["a", "b", "c"].map(|name| fleet.join(Name::from(name), 1, now)).into();
//!
//! let failed = Failure::new(FailureKind::Internal).into();
//! for _ in 0..5 {
//!     let admitted = ends[0].admit();
//!     fleet.record(&ends[0], admitted, &failed, || now, || 0.5);
//! }
//! assert!(!ends[0].is_usable() && ends[1].is_usable());
//!
//! let later = now + Duration::from_secs(30);
//! fleet.sweep(later, || 0.5);
//! assert!(ends[0].is_usable(), "its time is over");
//! # Ok::<(), portcullis_core::ConfigError>(())
//! ```
//!
//! The algorithm is that of Envoy's outlier detection and of gRFC A50, with what operators of both have
//! learned: the share of ejected endpoints is held on every path, also when endpoints leave; counts are
//! cleared by a return; a success rate must lie below the others' by a real difference, and not only by
//! standard deviations; and with too few endpoints left all are used ([panic](Config::panic_threshold)).
//!
//! Counting takes one compare-and-swap on a word of the endpoint's own. Ejections, returns and the sweep of
//! an interval take a lock.

mod change;
mod config;
mod counts;
mod endpoint;
mod fleet;
#[cfg(all(test, portcullis_loom))]
mod loom_tests;
mod members;
#[cfg(all(test, not(portcullis_loom)))]
mod model_tests;
mod preset;
mod rules;
mod slow_start;
mod status;

pub use change::{Cause, Change, What};
pub use config::{
    Config, DEFAULT_BASE_EJECTION, DEFAULT_CONSECUTIVE, DEFAULT_INTERVAL, DEFAULT_MAX_EJECTED_SHARE,
    DEFAULT_MAX_EJECTION, DEFAULT_PANIC_THRESHOLD, FailureShare, MAX_WEIGHT, SlowStart, SuccessRate,
};
pub use endpoint::{Admitted, Endpoint};
pub use fleet::Fleet;
pub use preset::Preset;
pub use status::{EndpointStatus, FleetStatus};
