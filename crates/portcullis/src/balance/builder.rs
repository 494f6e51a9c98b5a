//! Building the policy of outliers.

use std::{collections::BTreeSet, time::Duration};

use portcullis_core::{
    ConfigError, FailureKind, Mode, Name,
    outlier::{Config, FailureShare, Preset, SlowStart, SuccessRate},
};

use super::Outliers;
use crate::Registry;

/// Builds [`Outliers`]. Every setting has a default; see [`Config`].
///
/// ```
/// use portcullis::{Outliers, balance::SlowStart};
/// use std::time::Duration;
///
/// let outliers = Outliers::builder("inventory")
///     .consecutive(3)
///     .ejection(Duration::from_secs(10), Duration::from_secs(60))
///     .max_ejected_share(0.3)
///     .slow_start(SlowStart::default())
///     .build()?;
/// # let _ = outliers;
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct OutliersBuilder {
    name: Name,
    config: Config,
    seed: Option<u64>,
    registry: Registry,
}

impl OutliersBuilder {
    pub(super) fn new(name: Name) -> Self {
        Self { name, config: Config::default(), seed: None, registry: Registry::global().clone() }
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

    /// How often endpoints are compared with each other (default 10 s); 10 ms to 24 h.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.config.interval = interval;
        self
    }

    /// How long the first ejection takes (default 30 s), and the longest (default 300 s); each 1 ms to 24 h.
    pub fn ejection(mut self, base: Duration, longest: Duration) -> Self {
        self.config.base_ejection = base;
        self.config.max_ejection = longest;
        self
    }

    /// How much longer an ejection takes at most, by lot (default 0 s); 0 to 24 h.
    pub fn ejection_jitter(mut self, jitter: Duration) -> Self {
        self.config.ejection_jitter = jitter;
        self
    }

    /// The share of endpoints that may be ejected at a time (default 0.1), but at least one of two or more; 0,
    /// which is never any, to 1.
    pub fn max_ejected_share(mut self, share: f64) -> Self {
        self.config.max_ejected_share = share;
        self
    }

    /// Failures in a row that eject an endpoint at once (default 5); 1 to 1000.
    pub fn consecutive(mut self, failures: u32) -> Self {
        self.config.consecutive = Some(failures);
        self
    }

    /// No number of failures in a row ejects an endpoint.
    pub fn no_consecutive(mut self) -> Self {
        self.config.consecutive = None;
        self
    }

    /// Counts failures that the dependency did not answer apart from those that it answered (default: together);
    /// so many of them in a row eject an endpoint at once. 1 to 1000.
    pub fn split_local(mut self, consecutive: u32) -> Self {
        self.config.split_local = true;
        self.config.consecutive_local = Some(consecutive);
        self
    }

    /// Compares success rates by this rule, or not (default: on).
    pub fn success_rate(mut self, rule: Option<SuccessRate>) -> Self {
        self.config.success_rate = rule;
        self
    }

    /// Ejects by this rule where nearly everything failed, or not (default: on).
    pub fn failure_share(mut self, rule: Option<FailureShare>) -> Self {
        self.config.failure_share = rule;
        self
    }

    /// When a smaller share of the endpoints than this can be used, all are (default 0.5); 0, which is only when
    /// none can, to 1.
    pub fn panic_threshold(mut self, share: f64) -> Self {
        self.config.panic_threshold = share;
        self
    }

    /// Gives an endpoint that is new or returned its share of the calls little by little (default: at once).
    pub fn slow_start(mut self, slow_start: SlowStart) -> Self {
        self.config.slow_start = Some(slow_start);
        self
    }

    /// Failures of these kinds say nothing about the endpoint (default: rate limited and validation).
    pub fn ignored(mut self, kinds: impl IntoIterator<Item = FailureKind>) -> Self {
        self.config.ignored = BTreeSet::from_iter(kinds);
        self
    }

    /// Whether endpoints are ejected, or it is only told (default: they are).
    pub fn mode(mut self, mode: Mode) -> Self {
        self.config.mode = mode;
        self
    }

    /// Draws all lots, those of the balancers too, from a generator with this seed, so that a run can be repeated.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Joins this registry instead of the global one.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = registry.clone();
        self
    }

    /// Builds the policy, with no endpoints.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<Outliers, ConfigError> {
        Outliers::from_config(self.name, self.config, self.seed, &self.registry)
    }
}
