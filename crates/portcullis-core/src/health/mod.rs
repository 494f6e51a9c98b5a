//! Health: levels, and when a dependency counts as down.
//!
//! ```
//! use portcullis_core::health::{Level, Thresholds, Tracker};
//!
//! let mut tracker = Tracker::new(Thresholds { down_after: 2, up_after: 1 })?;
//! assert_eq!(tracker.record(false), None);
//! assert_eq!(tracker.record(false), Some(false), "down after two failures in a row");
//! assert_eq!(tracker.record(true), Some(true));
//! assert_eq!(Level::worst([Level::Healthy, Level::Degraded]), Level::Degraded);
//! # Ok::<(), portcullis_core::ConfigError>(())
//! ```

mod level;
mod tracker;

pub use level::Level;
pub use tracker::{DEFAULT_DOWN_AFTER, DEFAULT_UP_AFTER, Thresholds, Tracker};
