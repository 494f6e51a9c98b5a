//! Building a retry policy.

use std::time::Duration;

use portcullis_core::{
    ConfigError, FailureKind, GrpcCodes, Mode, Name,
    retry::{Backoff, BudgetConfig},
};

use super::{Config, RetryBudget, RetryPolicy};
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

impl RetryBuilder {
    pub(super) fn new(name: Name) -> Self {
        let registry = Registry::global().clone();
        Self { name, config: Config::default(), budget: None, seed: None, registry }
    }

    /// Takes all settings from a [`Config`].
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Attempts in total, with the first (default 3); 1 to 100.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.config.max_attempts = attempts;
        self
    }

    /// The waits between attempts (default 50 ms, doubling, at most 20 s, full jitter).
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.config.backoff = backoff;
        self
    }

    /// No wait begins that would end after this time from the call (default off); 1 ms to 24 h.
    pub fn total_time(mut self, time: Duration) -> Self {
        self.config.total_time = Some(time);
        self
    }

    /// The longest wait a dependency can ask for by `Retry-After` (default 30 s); 0 to 24 h.
    pub fn max_retry_after(mut self, time: Duration) -> Self {
        self.config.max_retry_after = time;
        self
    }

    /// Retries per call (0 to 1) and per second (0 to 1,000,000), in a budget of this policy's own
    /// (default 0.2 and 10).
    pub fn budget_of(mut self, ratio: f64, min_per_second: u32) -> Self {
        self.config.budget = BudgetConfig::share(ratio, min_per_second);
        self.budget = None;
        self
    }

    /// Failures of this kind are not retried, but where nothing was processed (default: validation and data
    /// loss).
    pub fn never_after(mut self, kind: FailureKind) -> Self {
        self.config.not_retried.insert(kind);
        self
    }

    /// Of gRPC calls retries those and only those that end with one of these codes, idempotent or not
    /// (default: what is safe). What was never processed is retried anyway.
    pub fn grpc_codes(mut self, codes: impl Into<GrpcCodes>) -> Self {
        self.config.grpc_codes = Some(codes.into());
        self
    }

    /// Makes calls again that a layer below refused, such as an open breaker, if it said when to come back
    /// and that is in time (default off).
    pub fn retry_refusals(mut self) -> Self {
        self.config.retry_refusals = true;
        self
    }

    /// Whether calls are retried, or only counted (default: retried).
    pub fn mode(mut self, mode: Mode) -> Self {
        self.config.mode = mode;
        self
    }

    /// A budget that is shared with others.
    pub fn budget(mut self, budget: &RetryBudget) -> Self {
        self.budget = Some(budget.clone());
        self
    }

    /// Draws jitter from a generator with this seed, so that a run can be repeated.
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
    pub fn build(self) -> Result<RetryPolicy, ConfigError> {
        RetryPolicy::from_parts(self.name, self.config, self.budget, self.seed, &self.registry)
    }
}
