//! Building a keyed retry.

use std::sync::Arc;

use portcullis_core::{ConfigError, Name, PolicyKind, retry::BudgetConfig};

use super::KeyedRetry;
use crate::{
    RetryBudget, RetryPolicy,
    keyed::{Key, budgeted::Common, keyed_builder, many::Many},
    retry::{Config, setters::config_setters, status::Counts},
};

keyed_builder! {
    /// Builds a [`KeyedRetry`]. Every setting has a default; see [`Config`] for what each means.
    ///
    /// ```
    /// use portcullis::retry::{KeyedRetry, Preset};
    /// use std::time::Duration;
    ///
    /// let hosts = KeyedRetry::builder("upstream")
    ///     .preset(Preset::FastApi)
    ///     .max_keys(50_000)
    ///     .idle_after(Duration::from_secs(3600))
    ///     .build()?;
    /// # let _ = hosts;
    /// let error = KeyedRetry::builder("upstream").max_keys(0).build().unwrap_err();
    /// assert_eq!(error.to_string(), "keyed.max_keys is 0: allowed is 1 to 16777216");
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    KeyedRetryBuilder, Config, budget: Option<RetryBudget>;

    idle_after {
        /// A key that was not used for this long is forgotten (default 10 min), unless something was taken from
        /// its budget; 1 ms to 30 days.
    }
}

config_setters!(KeyedRetryBuilder<K>);

impl<K> KeyedRetryBuilder<K> {
    /// Retries per call (0 to 1) and per second (0 to 1,000,000) of each key (default 0.2 and 10). Budgets of
    /// another kind are given by [`Config::budget`](crate::retry::Config::budget). Each key has one of its own:
    /// none is shared, also where a file names one that is.
    pub fn budget_of(mut self, ratio: f64, min_per_second: u32) -> Self {
        self.config.budget = BudgetConfig::share(ratio, min_per_second);
        self.budget = None;
        self
    }

    /// One budget for all keys together, and for [`overflow`](KeyedRetry::overflow), instead of one for each: that of
    /// a dependency behind all of them, say. It does not follow the settings, and is
    /// [reconfigured](RetryBudget::reconfigure) by itself.
    ///
    /// ```
    /// use portcullis::{RetryBudget, retry::KeyedRetry, retry::BudgetConfig};
    ///
    /// let budget = RetryBudget::new("upstream", BudgetConfig::share(0.1, 5))?;
    /// let hosts = KeyedRetry::builder("upstream").budget(&budget).build()?;
    /// assert!(hosts.policy("host-a").budget().is_same(hosts.policy("host-b").budget()));
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    pub fn budget(mut self, budget: &RetryBudget) -> Self {
        self.budget = Some(budget.clone());
        self
    }

    /// What a file says, over what was set before; a budget that it says is shared is that of the
    /// [registry](Self::registry), to be set before, and one for all keys: see [`budget`](Self::budget).
    ///
    /// When the file has changed, `config::Budget::reload` is for the rules of that budget, and
    /// [`reconfigure`](KeyedRetry::reconfigure) for all others.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    #[cfg(feature = "serde")]
    pub fn settings(mut self, settings: &crate::config::Retry) -> Result<Self, ConfigError> {
        self.config = settings.over(&self.config)?;
        if let Some(budget) = settings.budget() {
            self.budget = budget.in_registry(&self.registry)?;
        }
        Ok(self)
    }
}

impl<K: Key> KeyedRetryBuilder<K> {
    /// Builds the keyed retry, without a key.
    ///
    /// # Errors
    ///
    /// The first setting outside its range.
    pub fn build(self) -> Result<KeyedRetry<K>, ConfigError> {
        let Self { name, config, limits, budget, registry, seed, .. } = self;
        let common = Arc::new(Common::new(
            name.clone(),
            config.clone(),
            budget.clone(),
            Counts::default(),
            seed,
            &registry,
        )?);
        let other = Name::from(format!("{name}/(other)"));
        let overflow = RetryPolicy::from_parts(other, config, budget, seed, &registry)?;
        let shared = Arc::new(Many::new(limits, common, overflow)?);
        registry.join(PolicyKind::Retry, name, &shared);
        Ok(KeyedRetry { shared })
    }
}
