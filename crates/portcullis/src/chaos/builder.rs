//! Building chaos.

use std::time::Duration;

use portcullis_core::{
    ConfigError, FailureKind, Name,
    chaos::{Config, Fault, FaultKind, Latency, Schedule},
};

use super::Chaos;
use crate::Registry;

/// Builds [`Chaos`]. There are no faults, and they are off, until this says so.
///
/// ```
/// use portcullis::Chaos;
///
/// let chaos = Chaos::builder("inventory").panic(0.01).hang(0.01).enabled(true).seed(7).build()?;
/// # let _ = chaos;
/// let error = Chaos::builder("inventory").panic(2.0).build().unwrap_err();
/// assert_eq!(error.to_string(), "chaos.share is 2.0: allowed is 0.0 to 1.0");
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct ChaosBuilder {
    name: Name,
    config: Config,
    seed: Option<u64>,
    registry: Registry,
}

impl ChaosBuilder {
    pub(super) fn new(name: Name) -> Self {
        Self { name, config: Config::default(), seed: None, registry: Registry::global().clone() }
    }

    /// Takes all settings from a [`Config`].
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Lets this share of the calls, 0 to 1, meet this.
    pub fn fault(mut self, share: f64, what: FaultKind) -> Self {
        self.config.faults.push(Fault { share, what });
        self
    }

    /// The answers of this share of the calls come later, by at most 1 h.
    pub fn latency(self, share: f64, latency: Latency) -> Self {
        self.fault(share, FaultKind::Latency(latency))
    }

    /// This share of the calls fails, with a failure of this kind.
    pub fn error(self, share: f64, kind: FailureKind) -> Self {
        self.fault(share, FaultKind::Error(kind))
    }

    /// This share of the calls is answered with what [the layer was given](super::ChaosLayer::responding).
    pub fn response(self, share: f64) -> Self {
        self.fault(share, FaultKind::Response)
    }

    /// This share of the calls panics.
    pub fn panic(self, share: f64) -> Self {
        self.fault(share, FaultKind::Panic)
    }

    /// This share of the calls is never answered.
    pub fn hang(self, share: f64) -> Self {
        self.fault(share, FaultKind::Hang)
    }

    /// The bodies of the responses to this share of the calls break off before they are longer than so many
    /// bytes.
    pub fn cut_body(self, share: f64, bytes: u64) -> Self {
        self.fault(share, FaultKind::CutBody(bytes))
    }

    /// The bodies of the responses to this share of the calls come at so many bytes in a second, at least 1. Each
    /// frame comes when its last byte would.
    pub fn bandwidth(self, share: f64, bytes_per_second: u64) -> Self {
        self.fault(share, FaultKind::Bandwidth(bytes_per_second))
    }

    /// Faults for the first part of every period (default: always); 1 ms to 1 h.
    pub fn schedule(mut self, active: Duration, every: Duration) -> Self {
        self.config.schedule = Some(Schedule { active, every });
        self
    }

    /// Whether there are faults from the beginning (default: no).
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.config.enabled = enabled;
        self
    }

    /// Draws from a generator with this seed, so that a run can be repeated.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Joins this registry instead of the global one.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = registry.clone();
        self
    }

    /// Builds it.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<Chaos, ConfigError> {
        Chaos::from_parts(self.name, self.config, self.seed, &self.registry)
    }
}
