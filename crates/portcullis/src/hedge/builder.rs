//! Building a hedge.

use std::time::Duration;

use portcullis_core::{ConfigError, Name, retry::BudgetConfig};

use super::{Config, Hedge, setters::config_setters};
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

config_setters!(HedgeBuilder);

impl HedgeBuilder {
    pub(super) fn new(name: Name) -> Self {
        let registry = Registry::global().clone();
        Self { name, config: Config::default(), budget: None, seed: None, registry }
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

    /// Builds the policy.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<Hedge, ConfigError> {
        Hedge::from_parts(self.name, self.config, self.budget, self.seed, &self.registry)
    }
}
