//! What an observer is told.
//!
//! ```
//! use portcullis_core::observe::Config;
//!
//! let config = Config { durations: true, ..Config::default() };
//! assert!(config.enabled && config.check().is_ok());
//! ```

use crate::{ConfigError, Mode};

/// What an observer counts, beside how calls end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Whether it does anything at all (default: it does).
    pub enabled: bool,
    /// Whether it measures how long calls and attempts take (default: it does not, because that reads the clock twice
    /// for each).
    pub durations: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { enabled: true, durations: false }
    }
}

impl Config {
    /// Checks every field: none can be wrong today.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        Ok(())
    }

    /// What that is as a mode, to which others are shown.
    pub const fn mode(&self) -> Mode {
        if self.enabled { Mode::Enforce } else { Mode::Disabled }
    }
}
