//! Health: levels, when a dependency counts as down, and how the parts make the whole.
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

mod check;
mod effect;
mod grades;
mod level;
mod preset;
mod rules;
#[cfg(test)]
mod rules_tests;
mod summary;
mod tracker;

pub use check::{
    CheckConfig, DEFAULT_CHECK_CACHE, DEFAULT_CHECK_HISTORY, DEFAULT_CHECK_INTERVAL, DEFAULT_CHECK_JITTER,
    DEFAULT_CHECK_TIMEOUT,
};
pub use effect::Effect;
pub use grades::Grades;
pub use level::Level;
pub use preset::CheckPreset;
pub use rules::{Override, Part, Rules};
pub use summary::Summary;
pub use tracker::{DEFAULT_DOWN_AFTER, DEFAULT_UP_AFTER, Thresholds, Tracker};
