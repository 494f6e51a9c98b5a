//! Building a drain.

use std::time::Duration;

use portcullis_core::{
    ConfigError, Name,
    drain::{Config, Preset},
};

use super::Drain;
use crate::Registry;

/// Builds a [`Drain`]. Every setting has a default; see [`Config`].
///
/// ```
/// use portcullis::Drain;
/// use std::time::Duration;
///
/// let drain = Drain::builder("shop").announce(Duration::from_secs(3)).grace(Duration::from_secs(20)).build()?;
/// # let _ = drain;
/// let error = Drain::builder("shop").grace(Duration::MAX).build().unwrap_err();
/// assert_eq!(error.field(), "drain.grace");
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct DrainBuilder {
    name: Name,
    config: Config,
    named: bool,
    registry: Registry,
    #[cfg(feature = "http")]
    health: Vec<crate::Health>,
}

impl DrainBuilder {
    pub(super) fn new(name: Name) -> Self {
        Self {
            name,
            config: Config::default(),
            named: true,
            registry: Registry::global().clone(),
            #[cfg(feature = "http")]
            health: Vec::new(),
        }
    }

    /// Takes all settings from a [`Config`].
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Takes all settings from a [`Preset`].
    pub fn preset(self, preset: Preset) -> Self {
        self.config(preset.config())
    }

    /// For how long the server says that it wants no more traffic before it refuses any (default 5 s); 0 to 1 h. Let it
    /// be longer than it takes whoever asks for readiness to ask, and those behind to hear of it.
    pub fn announce(mut self, time: Duration) -> Self {
        self.config.announce = time;
        self
    }

    /// How long it waits for what is in flight, from when it refuses (default 30 s); 0 to 24 h.
    pub fn grace(mut self, time: Duration) -> Self {
        self.config.grace = time;
        self
    }

    /// When refused calls are told to come again (default: at once, elsewhere); 0 to 1 h.
    pub fn retry_after(mut self, time: Duration) -> Self {
        self.config.retry_after = time;
        self
    }

    /// Does not note what calls are in flight, and since when: the report then only counts.
    pub fn unnamed(mut self) -> Self {
        self.named = false;
        self
    }

    /// This health is not ready from the beginning of the end. There may be several.
    #[cfg(feature = "http")]
    pub fn health(mut self, health: &crate::Health) -> Self {
        self.health.push(health.clone());
        self
    }

    /// Joins this registry instead of the global one.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = registry.clone();
        self
    }

    /// Builds the drain.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<Drain, ConfigError> {
        self.config.check()?;
        #[cfg(feature = "http")]
        let health = self.health;
        let announce = move || {
            #[cfg(feature = "http")]
            health.iter().for_each(|health| health.set_ready(false));
        };
        Ok(Drain::from_parts(self.name, self.config, self.named, Box::new(announce), &self.registry))
    }
}
