//! Building a hedge.

use std::time::Duration;

use portcullis_core::{ConfigError, FailureKind, Mode, Name, retry::BudgetConfig};

use super::{Config, Delay, Hedge, Preset};
use crate::{Registry, RetryBudget};

/// Builds a [`Hedge`]. Every setting has a default; see [`Config`].
///
/// ```
/// use portcullis::Hedge;
/// use std::time::Duration;
///
/// let hedge = Hedge::builder("search").percentile(0.99).max_attempts(3).build()?;
/// # let _ = hedge;
/// let error = Hedge::builder("search").max_attempts(1).build().unwrap_err();
/// assert_eq!(error.to_string(), "hedge.max_attempts is 1: allowed is 2 to 5");
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct HedgeBuilder {
    name: Name,
    config: Config,
    budget: Option<RetryBudget>,
    seed: Option<u64>,
    registry: Registry,
}

impl HedgeBuilder {
    pub(super) fn new(name: Name) -> Self {
        let registry = Registry::global().clone();
        Self { name, config: Config::default(), budget: None, seed: None, registry }
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

    /// How long an attempt is waited for before another is sent (default: as long as 95 of 100 take).
    pub fn delay(mut self, delay: Delay) -> Self {
        self.config.delay = delay;
        self
    }

    /// Always waits as long; 0 to 24 h.
    pub fn fixed_delay(self, delay: Duration) -> Self {
        self.delay(Delay::Fixed(delay))
    }

    /// Waits as long as this share of the calls took lately, 0.5 to 0.999, within the default bounds.
    pub fn percentile(self, quantile: f64) -> Self {
        self.delay(Delay::percentile(quantile))
    }

    /// Attempts in total, with the first (default 2); 2 to 5.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.config.max_attempts = attempts;
        self
    }

    /// The longest wait a dependency can ask for (default 30 s); 0 to 24 h.
    pub fn max_retry_after(mut self, time: Duration) -> Self {
        self.config.max_retry_after = time;
        self
    }

    /// A failure of this kind ends the call, unless nothing was processed (default: validation and data
    /// loss).
    pub fn fatal(mut self, kind: FailureKind) -> Self {
        self.config.fatal.insert(kind);
        self
    }

    /// Hedges per call (0 to 1) and per second (0 to 1,000,000), in a budget of this policy's own (default
    /// 0.2 and 10). Only calls that may be hedged are counted.
    pub fn budget_of(mut self, ratio: f64, min_per_second: u32) -> Self {
        self.config.budget = BudgetConfig::share(ratio, min_per_second);
        self.budget = None;
        self
    }

    /// A budget of this policy's own by other rules, such as [`BudgetConfig::THROTTLE`].
    pub fn budget_config(mut self, config: BudgetConfig) -> Self {
        self.config.budget = config;
        self.budget = None;
        self
    }

    /// Takes the settings that a file gives over those so far, and the budget that it shares with others, if
    /// it does: that of its name in the registry of this builder, which is to be chosen before.
    ///
    /// ```
    /// use portcullis::{Hedge, config};
    ///
    /// let text = "budget = { shared = \"upstream\", ratio = 0.1 }";
    /// let settings: config::Hedge = toml::from_str(text)?;
    /// let policy = Hedge::builder("orders").settings(&settings)?.build()?;
    /// assert_eq!(&**policy.budget().name(), "upstream");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    #[cfg(feature = "serde")]
    pub fn settings(mut self, settings: &crate::config::Hedge) -> Result<Self, ConfigError> {
        self.config = settings.over(&self.config)?;
        if let Some(budget) = settings.budget() {
            self.budget = budget.in_registry(&self.registry)?;
        }
        Ok(self)
    }

    /// A budget that is shared with others. Where a retry around this hedge counts the calls already, it is
    /// to be [`withdraw_only`](RetryBudget::withdraw_only).
    pub fn budget(mut self, budget: &RetryBudget) -> Self {
        self.budget = Some(budget.clone());
        self
    }

    /// Whether hedges are sent, or only counted (default: sent).
    pub fn mode(mut self, mode: Mode) -> Self {
        self.config.mode = mode;
        self
    }

    /// Draws the lots of [`Mode::EnforcePercent`] from a generator with this seed, so that a run can be
    /// repeated.
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
    pub fn build(self) -> Result<Hedge, ConfigError> {
        Hedge::from_parts(self.name, self.config, self.budget, self.seed, &self.registry)
    }
}
