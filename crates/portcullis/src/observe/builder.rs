//! Building an observer.

use portcullis_core::{ConfigError, Name, observe::Config};

use super::Observer;
use crate::Registry;

/// Builds an [`Observer`]. Every setting has a default; see [`Config`].
///
/// ```
/// use portcullis::Observer;
///
/// let observer = Observer::builder("inventory").durations(true).build()?;
/// # let _ = observer;
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct ObserverBuilder {
    name: Name,
    config: Config,
    registry: Registry,
}

impl ObserverBuilder {
    pub(super) fn new(name: Name) -> Self {
        Self { name, config: Config::default(), registry: Registry::global().clone() }
    }

    /// Takes all settings from a [`Config`].
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Whether it does anything at all (default: it does).
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.config.enabled = enabled;
        self
    }

    /// Whether it measures how long calls and attempts take (default: it does not, because that reads the clock twice
    /// for each). They are then shown as the histogram `portcullis_call_duration_seconds`, and as percentiles of the
    /// last minute in the [status](Observer::status).
    pub fn durations(mut self, durations: bool) -> Self {
        self.config.durations = durations;
        self
    }

    /// Joins this registry instead of the global one.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = registry.clone();
        self
    }

    /// Builds the observer, which has seen nothing.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<Observer, ConfigError> {
        Observer::from_parts(self.name, self.config, &self.registry)
    }
}
