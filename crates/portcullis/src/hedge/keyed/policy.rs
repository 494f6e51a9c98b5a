//! The keyed hedge's handle.

use std::sync::Arc;

use portcullis_core::{ConfigError, Name, PolicyKind, pipeline, retry::BudgetConfig};

use super::{KeyedHedgeBuilder, KeyedHedgeStatus};
use crate::{
    Hedge, RetryBudget,
    alarm::Lines,
    hedge::{Config, Delay, HedgeStatus, Policies, measure, policy::Counts},
    keyed::{
        budgeted::{Budgeted, Common},
        family::settings,
        keyed_handle,
    },
    metrics::Measures,
    registry::Values,
};

keyed_handle! {
    /// A hedge per key: a cheap handle to shared state. Clones are the same hedges. See the
    /// [module](super).
    KeyedHedge of Hedge as Hedge, Config, KeyedHedgeBuilder, KeyedHedgeStatus;

    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), portcullis::BoxError> {
    /// use portcullis::{BoxError, hedge::KeyedHedge};
    ///
    /// let hosts = KeyedHedge::new("upstream");
    /// let stock = hosts.policy("host-a").call(|_| async { Ok::<_, BoxError>(42) }).await?;
    /// assert_eq!((stock, &**hosts.policy("host-a").name()), (42, "upstream/host-a"));
    /// # Ok(()) }
    /// ```
    fn policy in Policies of "HedgeLayer", else "sent once"
}

impl Budgeted for Hedge {
    const KIND: PolicyKind = PolicyKind::Hedge;
    type Config = Config;
    type Counts = Counts;
    type Besides = Arc<Lines>;
    type Status = HedgeStatus;

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

    fn all(common: &Common<Self>) -> HedgeStatus {
        let config = common.config.load();
        let fixed = match config.delay {
            Delay::Fixed(delay) => Some(delay),
            _ => None,
        };
        common.counts.status(fixed, common.untouched(), config.mode)
    }

    fn facts(config: &Config, budget: pipeline::Budget) -> pipeline::Facts {
        measure::facts(config, budget)
    }

    fn values(all: &HedgeStatus) -> Values {
        measure::values(all)
    }

    fn measure(all: &HedgeStatus, into: &mut dyn Measures) {
        measure::measure(all, into);
    }
}

settings!(Config);
