//! Adding a check.

use std::{sync::Arc, time::Duration};

use portcullis_core::{
    ConfigError, Name,
    health::{CheckConfig, CheckPreset},
};

use super::HealthMonitor;
use crate::check::Ask;

/// Settings of a check that is to be [added](Self::spawn). Each has a default; see [`CheckConfig`].
///
/// ```
/// use portcullis::{BoxError, HealthMonitor, Registry};
/// use std::time::Duration;
///
/// let monitor = HealthMonitor::new(&Registry::new());
/// let check = monitor.check("database").critical(true).timeout(Duration::from_secs(2));
/// check.spawn(|| async { Ok::<_, BoxError>(()) })?;
///
/// let check = monitor.check("database").cache(Duration::from_secs(1));
/// let error = check.spawn(|| async { Ok::<_, BoxError>(()) }).unwrap_err();
/// assert_eq!(error.to_string(), "health_check.cache is 1s: allowed is 5s to 300s");
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a check is not there until `spawn`"]
pub struct CheckBuilder {
    monitor: HealthMonitor,
    name: Name,
    config: CheckConfig,
}

impl CheckBuilder {
    pub(super) fn new(monitor: HealthMonitor, name: Name) -> Self {
        Self { monitor, name, config: CheckConfig::default() }
    }

    /// Takes all settings from a [`CheckConfig`].
    pub fn config(mut self, config: CheckConfig) -> Self {
        self.config = config;
        self
    }

    /// Takes all settings from a preset.
    pub fn preset(self, preset: CheckPreset) -> Self {
        self.config(preset.config())
    }

    /// Whether the service cannot work without what it checks (default false): failed is then critical, and the
    /// service not ready, instead of degraded.
    pub fn critical(mut self, critical: bool) -> Self {
        self.config.critical = critical;
        self
    }

    /// A check without an answer after this time has failed (default 5 s); 1 ms to 1 h.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.config.timeout = time;
        self
    }

    /// The time between the end of one run and the next (default 30 s); 1 ms to 24 h.
    pub fn interval(mut self, time: Duration) -> Self {
        self.config.interval = Some(time);
        self
    }

    /// After its first run it only runs where somebody asks.
    pub fn on_demand(mut self) -> Self {
        self.config.interval = None;
        self
    }

    /// How much of each interval is left to chance (default 0.1); 0 to 1.
    pub fn jitter(mut self, share: f64) -> Self {
        self.config.jitter = share;
        self
    }

    /// An answer younger than this is good enough for whoever asks (default 5 s); 5 s to 5 min.
    pub fn cache(mut self, time: Duration) -> Self {
        self.config.cache = time;
        self
    }

    /// How many of the last results are kept (default 32); 1 to 1000.
    pub fn history(mut self, results: u32) -> Self {
        self.config.history = results;
        self
    }

    /// Adds the check, in place of one of its name if there is one, and runs it at once, on the monitor's runtime.
    /// Where there is none, it runs from the first [`refresh`](HealthMonitor::refresh) or
    /// [`run_now`](HealthMonitor::run_now) on.
    ///
    /// A check that keeps a handle of its own monitor keeps it for ever.
    ///
    /// # Errors
    ///
    /// The first setting outside its range; then nothing has changed.
    pub fn spawn(self, check: impl Ask) -> Result<(), ConfigError> {
        self.config.check()?;
        self.monitor.put(self.name, self.config, Arc::new(check));
        Ok(())
    }
}
