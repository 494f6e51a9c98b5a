//! The keyed retry's handle.

use std::sync::Arc;

use portcullis_core::{ConfigError, Name, PolicyKind, pipeline, retry::BudgetConfig};

use super::{KeyedRetryBuilder, KeyedRetryStatus};
use crate::{
    RetryBudget, RetryPolicy,
    keyed::{
        budgeted::{Budgeted, Common},
        family::settings,
        keyed_handle,
    },
    metrics::Measures,
    registry::Values,
    retry::{Config, Policies, RetryStatus, measure, status::Counts},
};

keyed_handle! {
    /// A retry policy per key: a cheap handle to shared state. Clones are the same policies. See the
    /// [module](super).
    KeyedRetry of RetryPolicy as Retry, Config, KeyedRetryBuilder, KeyedRetryStatus;

    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), portcullis::BoxError> {
    /// use portcullis::{BoxError, retry::KeyedRetry};
    ///
    /// let hosts = KeyedRetry::new("upstream");
    /// let stock = hosts.policy("host-a").call(|_| async { Ok::<_, BoxError>(42) }).await?;
    /// assert_eq!((stock, &**hosts.policy("host-a").name()), (42, "upstream/host-a"));
    /// # Ok(()) }
    /// ```
    fn policy in Policies of "RetryLayer", else "sent once"
}

impl Budgeted for RetryPolicy {
    const KIND: PolicyKind = PolicyKind::Retry;
    type Config = Config;
    type Counts = Counts;
    type Besides = ();
    type Status = RetryStatus;

    fn budget_of(config: &Config) -> BudgetConfig {
        config.budget
    }

    fn one_of_many(name: Name, common: &Arc<Common<Self>>) -> Result<Self, ConfigError> {
        Self::one_of(name, common)
    }

    fn common(&self) -> Option<&Arc<Common<Self>>> {
        self.shared.many.as_ref()
    }

    fn take(&self, config: Arc<Config>) -> Result<(), ConfigError> {
        self.shared.take(config)
    }

    fn its_budget(&self) -> &RetryBudget {
        self.budget()
    }

    fn is_shared(&self) -> bool {
        self.shared.is_shared()
    }

    fn all(common: &Common<Self>) -> RetryStatus {
        common.counts.status(common.untouched(), common.config.load().mode)
    }

    fn facts(config: &Config, budget: pipeline::Budget) -> pipeline::Facts {
        measure::facts(config, budget)
    }

    fn values(all: &RetryStatus) -> Values {
        measure::values(all)
    }

    fn measure(all: &RetryStatus, into: &mut dyn Measures) {
        measure::measure(all, into);
    }
}

settings!(Config);
