//! What a retry policy can be told.

use std::{collections::BTreeSet, time::Duration};

use portcullis_core::{
    ConfigError, FailureKind, GrpcCodes, Mode, check_range,
    retry::{Backoff, BudgetConfig},
};

/// The first and two more: a third retry rarely helps where two did not, and costs the most.
pub const DEFAULT_MAX_ATTEMPTS: u32 = 3;
/// A dependency may ask for patience, but not for more than callers have.
pub const DEFAULT_MAX_RETRY_AFTER: Duration = Duration::from_secs(30);

const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The rules of a retry policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Attempts in total, with the first (default 3); 1 to 100.
    pub max_attempts: u32,
    /// The waits between attempts.
    pub backoff: Backoff,
    /// No wait begins that would end after this time from the call (default off); 1 ms to 24 h. A deadline
    /// that the request has is kept besides.
    pub total_time: Option<Duration>,
    /// The longest wait a dependency can ask for (default 30 s); 0 to 24 h.
    pub max_retry_after: Duration,
    /// Failures of these kinds are not retried, but where nothing was processed (default: validation and
    /// data loss, which would be the same again).
    pub not_retried: BTreeSet<FailureKind>,
    /// Of gRPC calls those and only those that end with one of these codes are retried, idempotent or not
    /// (default: none, what is safe is retried). What was never processed is retried anyway.
    pub grpc_codes: Option<GrpcCodes>,
    /// Calls that a layer below refused are made again if it said when to come back, and that is within the
    /// call's deadline and `max_retry_after` (default off).
    pub retry_refusals: bool,
    /// Whether calls are retried, or only counted, as [`Stop::Shadow`](super::Stop::Shadow) (default: retried).
    pub mode: Mode,
    /// The budget, unless a shared one is given. Then this has no effect, and what holds is
    /// [`RetryBudget::config`](super::RetryBudget::config).
    pub budget: BudgetConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_attempts: DEFAULT_MAX_ATTEMPTS,
            backoff: Backoff::default(),
            total_time: None,
            max_retry_after: DEFAULT_MAX_RETRY_AFTER,
            not_retried: BTreeSet::from([FailureKind::DataLoss, FailureKind::Validation]),
            grpc_codes: None,
            retry_refusals: false,
            mode: Mode::Enforce,
            budget: BudgetConfig::default(),
        }
    }
}

impl Config {
    /// Checks every field.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        check_range("retry.max_attempts", self.max_attempts, 1..=100)?;
        if let Some(time) = self.total_time {
            check_range("retry.total_time", time, Duration::from_millis(1)..=LONGEST)?;
        }
        check_range("retry.max_retry_after", self.max_retry_after, Duration::ZERO..=LONGEST)?;
        self.mode.check("retry.mode.enforce_percent")?;
        self.backoff.check()?;
        self.budget.check()
    }
}
