//! Building a bulkhead.

use std::time::Duration;

use portcullis_core::{ConfigError, Name, bulkhead::Config};

use super::Bulkhead;
use crate::Registry;

/// Builds a [`Bulkhead`]. Every setting has a default; see [`Config`].
///
/// ```
/// use portcullis::Bulkhead;
/// use std::time::Duration;
///
/// let bulkhead = Bulkhead::builder("database")
///     .max_in_flight(20)
///     .queue(50, Duration::from_millis(200))
///     .build()?;
/// # let _ = bulkhead;
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct BulkheadBuilder {
    name: Name,
    config: Config,
    registry: Registry,
}

impl BulkheadBuilder {
    pub(super) fn new(name: Name) -> Self {
        Self { name, config: Config::default(), registry: Registry::global().clone() }
    }

    /// Takes all settings from a [`Config`].
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Calls that may run at a time (default 100); 1 to 1,000,000.
    pub fn max_in_flight(mut self, calls: u32) -> Self {
        self.config.max_in_flight = calls;
        self
    }

    /// Lets this many calls wait (default 0), in order of arrival, for at most this time (default 1 s); 0 to 1,000,000
    /// and 1 ms to 1 h.
    pub fn queue(mut self, max_queued: u32, max_wait: Duration) -> Self {
        self.config.max_queued = max_queued;
        self.config.max_wait = max_wait;
        self
    }

    /// Joins this registry instead of the global one.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = registry.clone();
        self
    }

    /// Builds the bulkhead, empty.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<Bulkhead, ConfigError> {
        Bulkhead::from_config(self.name, self.config, &self.registry)
    }
}
