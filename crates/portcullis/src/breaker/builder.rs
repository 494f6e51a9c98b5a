//! Building a breaker.

use std::time::Duration;

use portcullis_core::{
    ConfigError, Name,
    breaker::{Config, Preset},
};

use super::Breaker;
use crate::Registry;

/// Builds a [`Breaker`]. Every setting has a default; see [`Config`] for what each means.
///
/// ```
/// use portcullis::Breaker;
/// use std::time::Duration;
///
/// let breaker = Breaker::builder("payments")
///     .failure_ratio(0.3)
///     .window(200)
///     .open_for(Duration::from_secs(10))
///     .build()?;
/// # let _ = breaker;
/// let error = Breaker::builder("payments").failure_ratio(1.5).build().unwrap_err();
/// assert_eq!(error.to_string(), "breaker.failure_ratio is 1.5: allowed is 0.0001 to 1.0");
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct BreakerBuilder {
    name: Name,
    config: Config,
    registry: Registry,
}

impl BreakerBuilder {
    pub(super) fn new(name: Name) -> Self {
        Self { name, config: Config::default(), registry: Registry::global().clone() }
    }

    /// Takes all settings from a [`Config`].
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Takes all settings from a [`Preset`], to go on from.
    ///
    /// ```
    /// use portcullis::{Breaker, breaker::Preset};
    ///
    /// let breaker = Breaker::builder("search").preset(Preset::FastApi).window(500).build()?;
    /// assert_eq!(breaker.config().open_for.as_secs(), 30);
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    pub fn preset(self, preset: Preset) -> Self {
        self.config(preset.config())
    }

    /// Opens after this many failures in a row (default 5); 1 to 1,000,000. At hundreds of calls a second,
    /// five in a row may be one short stall: ask for more there, or let the ratio decide alone.
    pub fn consecutive_failures(mut self, failures: u32) -> Self {
        self.config.consecutive_failures = Some(failures);
        self
    }

    /// Does not count failures in a row.
    pub fn no_consecutive_failures(mut self) -> Self {
        self.config.consecutive_failures = None;
        self
    }

    /// Opens when this share of the last calls failed (default 0.5); 0.0001 to 1.
    pub fn failure_ratio(mut self, ratio: f64) -> Self {
        self.config.failure_ratio = Some(ratio);
        self
    }

    /// Does not look at the share of failures.
    pub fn no_failure_ratio(mut self) -> Self {
        self.config.failure_ratio = None;
        self
    }

    /// How many of the last calls the ratio is taken over (default 100); 1 to 1,000,000. Lowers
    /// [`minimum_calls`](Self::minimum_calls) when that would not fit any more.
    pub fn window(mut self, calls: u32) -> Self {
        self.config.window = calls;
        self.config.minimum_calls = self.config.minimum_calls.min(calls.max(1));
        self
    }

    /// The ratio is not asked before this many calls (default 20, or the window if that is less); 1 to `window`.
    pub fn minimum_calls(mut self, calls: u32) -> Self {
        self.config.minimum_calls = calls;
        self
    }

    /// How long it stays open before it probes (default 5 s); 1 ms to 24 h.
    pub fn open_for(mut self, time: Duration) -> Self {
        self.config.open_for = time;
        self
    }

    /// Probes in flight at a time while half-open (default 3); 1 to 1000.
    pub fn permits(mut self, permits: u32) -> Self {
        self.config.permits = permits;
        self
    }

    /// Probes that must succeed to close (default 3); 1 to 1000.
    pub fn successes(mut self, successes: u32) -> Self {
        self.config.successes = successes;
        self
    }

    /// A probe without a result after this time counts as failed (default 10 s); 1 ms to 24 h.
    pub fn lease(mut self, time: Duration) -> Self {
        self.config.lease = time;
        self
    }

    /// Half-open for this long without a decision opens again (default off); 1 ms to 24 h.
    pub fn max_half_open(mut self, time: Duration) -> Self {
        self.config.max_half_open = Some(time);
        self
    }

    /// A call that is cancelled after at least this time counts as a timeout (default off); 1 ms to 24 h.
    pub fn hung_after(mut self, time: Duration) -> Self {
        self.config.hung_after = Some(time);
        self
    }

    /// Joins this registry instead of the global one.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = registry.clone();
        self
    }

    /// Builds the breaker, closed.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<Breaker, ConfigError> {
        Breaker::from_config(self.name, self.config, &self.registry)
    }
}
