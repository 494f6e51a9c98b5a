//! Building a probe.

use std::time::Duration;

use portcullis_core::{ConfigError, Name};

use super::{Config, Probe, breaker::Linked};
use crate::{Breaker, Registry};

/// Builds a [`Probe`]. Every setting has a default; see [`Config`].
///
/// ```
/// use portcullis::Probe;
/// use std::time::Duration;
///
/// let probe = Probe::builder("database")
///     .interval(Duration::from_secs(2))
///     .timeout(Duration::from_millis(500))
///     .critical(true)
///     .build()?;
/// # let _ = probe;
/// let error = Probe::builder("database").down_after(0).build().unwrap_err();
/// assert_eq!(error.field(), "probe.down_after");
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct ProbeBuilder {
    name: Name,
    config: Config,
    linked: Linked,
    registry: Registry,
}

impl ProbeBuilder {
    pub(super) fn new(name: Name) -> Self {
        Self {
            name,
            config: Config::default(),
            linked: Linked::Nothing,
            registry: Registry::global().clone(),
        }
    }

    /// Takes all settings from a [`Config`].
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// The time between two probes (default 5 s); 1 ms to 24 h.
    pub fn interval(mut self, time: Duration) -> Self {
        self.config.interval = time;
        self
    }

    /// The time between two probes after a bad result (default 1 s); 1 ms to 24 h.
    pub fn interval_when_down(mut self, time: Duration) -> Self {
        self.config.interval_when_down = time;
        self
    }

    /// How much of each interval is left to chance (default 0.1); 0 to 1.
    pub fn jitter(mut self, share: f64) -> Self {
        self.config.jitter = share;
        self
    }

    /// A probe without a result after this time has failed (default 1 s); 1 ms to 24 h.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.config.timeout = time;
        self
    }

    /// Failures in a row until down (default 3); 1 to 1000.
    pub fn down_after(mut self, failures: u32) -> Self {
        self.config.down_after = failures;
        self
    }

    /// Successes in a row until up again (default 2); 1 to 1000.
    pub fn up_after(mut self, successes: u32) -> Self {
        self.config.up_after = successes;
        self
    }

    /// Whether the service cannot work without this dependency (default false): down is then critical, and the
    /// service not ready, instead of degraded.
    pub fn critical(mut self, critical: bool) -> Self {
        self.config.critical = critical;
        self
    }

    /// Down opens this breaker and, with an open time longer than the probe's interval and timeout, keeps it
    /// open; up closes it. An isolated breaker is left alone.
    pub fn feed(mut self, breaker: &Breaker) -> Self {
        self.linked = Linked::Feed(breaker.clone());
        self
    }

    /// Keeps this breaker open once something else has opened it, for as long as it is down: with an open time longer
    /// than the probe's interval and timeout, no call tries a dependency that is known not to answer. It neither
    /// opens a closed breaker nor closes an open one.
    pub fn gate(mut self, breaker: &Breaker) -> Self {
        self.linked = Linked::Gate(breaker.clone());
        self
    }

    /// Joins this registry instead of the global one.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = registry.clone();
        self
    }

    /// Builds the probe; it asks nothing until it is started.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<Probe, ConfigError> {
        Probe::from_parts(self.name, self.config, self.linked, &self.registry)
    }
}
