//! Building a retry policy.

use portcullis_core::{ConfigError, Name, retry::BudgetConfig};

use super::{Config, RetryBudget, RetryPolicy, setters::config_setters};
use crate::Registry;

/// Builds a [`RetryPolicy`]. Every setting has a default; see [`Config`].
///
/// ```
/// use portcullis::{RetryPolicy, retry::Backoff};
/// use std::time::Duration;
///
/// let policy = RetryPolicy::builder("search")
///     .max_attempts(4)
///     .backoff(Backoff { base: Duration::from_millis(20), ..Backoff::default() })
///     .total_time(Duration::from_secs(2))
///     .build()?;
/// # let _ = policy;
/// let error = RetryPolicy::builder("search").max_attempts(0).build().unwrap_err();
/// assert_eq!(error.to_string(), "retry.max_attempts is 0: allowed is 1 to 100");
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct RetryBuilder {
    name: Name,
    config: Config,
    budget: Option<RetryBudget>,
    seed: Option<u64>,
    registry: Registry,
}

config_setters!(RetryBuilder);

impl RetryBuilder {
    pub(super) fn new(name: Name) -> Self {
        let registry = Registry::global().clone();
        Self { name, config: Config::default(), budget: None, seed: None, registry }
    }

    /// Retries per call (0 to 1) and per second (0 to 1,000,000), in a budget of this policy's own
    /// (default 0.2 and 10). A budget of another kind is given by [`Config::budget`], or is
    /// [shared](Self::budget).
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
    /// use portcullis::{RetryPolicy, config};
    ///
    /// let text = "budget = { shared = \"upstream\", ratio = 0.1 }";
    /// let settings: config::Retry = toml::from_str(text)?;
    /// let policy = RetryPolicy::builder("orders").settings(&settings)?.build()?;
    /// assert_eq!(&**policy.budget().name(), "upstream");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    #[cfg(feature = "serde")]
    pub fn settings(mut self, settings: &crate::config::Retry) -> Result<Self, ConfigError> {
        self.config = settings.over(&self.config)?;
        if let Some(budget) = settings.budget() {
            self.budget = budget.in_registry(&self.registry)?;
        }
        Ok(self)
    }

    /// A budget that is shared with others.
    pub fn budget(mut self, budget: &RetryBudget) -> Self {
        self.budget = Some(budget.clone());
        self
    }

    /// Builds the policy.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<RetryPolicy, ConfigError> {
        RetryPolicy::from_parts(self.name, self.config, self.budget, self.seed, &self.registry)
    }
}
