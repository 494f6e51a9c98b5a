//! A budget that policies can share.

use std::{fmt, sync::Arc};

use portcullis_core::{
    ConfigError,
    retry::{Budget, BudgetConfig},
};

use crate::{clock, shard};

/// The retries that all policies with this budget may make together: a cheap handle.
///
/// Each call pays for a share of a retry; see [`BudgetConfig`].
///
/// ```
/// use portcullis::{RetryBudget, RetryPolicy};
///
/// // Half of the default load, for two policies together.
/// let budget = RetryBudget::new(0.1, 5)?;
/// let reads = RetryPolicy::builder("reads").budget(&budget).build()?;
/// let lists = RetryPolicy::builder("lists").budget(&budget).build()?;
/// # let _ = (reads, lists);
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct RetryBudget(Arc<Budget>);

impl RetryBudget {
    /// A budget of `ratio` retries per call (0 to 1), and `min_per_second` besides (0 to 1,000,000).
    ///
    /// # Errors
    ///
    /// A value outside its range.
    pub fn new(ratio: f64, min_per_second: u32) -> Result<Self, ConfigError> {
        Self::from_config(BudgetConfig { ratio, min_per_second })
    }

    pub(super) fn from_config(config: BudgetConfig) -> Result<Self, ConfigError> {
        Ok(Self(Arc::new(Budget::new(config, shard::count())?)))
    }

    /// Whole retries that could be made now.
    pub fn available(&self) -> u64 {
        self.0.available(clock::now())
    }

    #[inline]
    pub(super) fn deposit(&self) {
        self.0.deposit(shard::current());
    }

    pub(super) fn withdraw(&self) -> bool {
        self.0.withdraw(clock::now())
    }
}

impl fmt::Debug for RetryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
