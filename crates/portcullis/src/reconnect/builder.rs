//! Building a reconnect policy.

use std::time::Duration;

use portcullis_core::{ConfigError, Name, retry::Backoff};

use super::{Config, Reconnect};
use crate::Registry;

/// Builds [`Reconnect`]. Every setting has a default; see [`Config`].
///
/// ```
/// use portcullis::{Reconnect, retry::Backoff};
/// use std::time::Duration;
///
/// let backoff = Backoff::exponential(Duration::from_millis(50)).cap(Duration::from_secs(5));
/// let reconnect = Reconnect::builder("inventory").backoff(backoff).wait(true).build()?;
/// # let _ = reconnect;
/// let error = Reconnect::builder("inventory").connect_timeout(Duration::ZERO).build().unwrap_err();
/// assert_eq!(error.to_string(), "reconnect.connect_timeout is 0ns: allowed is 1ms to 3600s");
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct ReconnectBuilder {
    name: Name,
    config: Config,
    seed: Option<u64>,
    registry: Registry,
}

impl ReconnectBuilder {
    pub(super) fn new(name: Name) -> Self {
        Self { name, config: Config::default(), seed: None, registry: Registry::global().clone() }
    }

    /// Takes all settings from a [`Config`].
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// The waits between attempts (default: exponential from 100 ms to 10 s, with full jitter).
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.config.backoff = backoff;
        self
    }

    /// How long one attempt may take (default 5 s); 1 ms to 1 h.
    pub fn connect_timeout(mut self, time: Duration) -> Self {
        self.config.connect_timeout = time;
        self
    }

    /// Whether calls wait for the next attempt where the last failed (default: they fail at once).
    pub fn wait(mut self, wait: bool) -> Self {
        self.config.wait = wait;
        self
    }

    /// How old a connection must be when it breaks, to say nothing against the next (default 10 s); up to 1 h.
    pub fn stable_after(mut self, time: Duration) -> Self {
        self.config.stable_after = time;
        self
    }

    /// Draws the jitter from a generator with this seed, so that a run can be repeated.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Joins this registry instead of the global one.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = registry.clone();
        self
    }

    /// Builds the policy.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<Reconnect, ConfigError> {
        Reconnect::from_parts(self.name, self.config, self.seed, &self.registry)
    }
}
