//! The retry policy's handle, and its one decision.

use std::{
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use portcullis_core::{
    ConfigError, Delivery, Failure, FailureKind, Name, PolicyKind, Time, check_range,
    health::Level,
    retry::{Backoff, BudgetConfig},
};

use super::{RetryBudget, RetryBuilder};
use crate::{
    Registry, clock,
    metrics::{
        Measures,
        names::{BUDGET_AVAILABLE, RETRY_STOPPED},
    },
    registry::{Policy, Snapshot},
    shard::{Pinned, Sharded},
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
    /// No wait begins that would end after this time from the call (default off); 1 ms to 24 h.
    pub total_time: Option<Duration>,
    /// The longest wait a dependency can ask for (default 30 s); 0 to 24 h.
    pub max_retry_after: Duration,
    /// The budget, unless a shared one is given.
    pub budget: BudgetConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_attempts: DEFAULT_MAX_ATTEMPTS,
            backoff: Backoff::default(),
            total_time: None,
            max_retry_after: DEFAULT_MAX_RETRY_AFTER,
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
        self.backoff.check()?;
        self.budget.check()
    }
}

/// A named retry policy: a cheap handle to shared state. Clones are the same policy.
#[derive(Clone)]
pub struct RetryPolicy {
    pub(super) shared: Sharded<Shared>,
}

pub(super) struct Shared {
    name: Name,
    pub(super) config: Config,
    budget: RetryBudget,
    seeded: Option<Mutex<fastrand::Rng>>,
    retries: AtomicU64,
    exhausted: AtomicU64,
    over_budget: AtomicU64,
    over_time: AtomicU64,
}

/// A retry policy at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryStatus {
    /// Attempts after the first.
    pub retries: u64,
    /// Calls that failed after all their attempts.
    pub exhausted: u64,
    /// Retries that the budget did not allow.
    pub over_budget: u64,
    /// Retries that would have come too late.
    pub over_time: u64,
    /// Whole retries in the budget.
    pub budget_available: u64,
}

impl RetryPolicy {
    /// A policy with the default [`Config`], in the global registry.
    pub fn new(name: impl Into<Name>) -> Self {
        #[expect(clippy::expect_used, reason = "the defaults are within their ranges, and a test says so")]
        Self::builder(name).build().expect("the defaults are valid")
    }

    /// A policy to be configured.
    pub fn builder(name: impl Into<Name>) -> RetryBuilder {
        RetryBuilder::new(name.into())
    }

    pub(super) fn from_parts(
        name: Name,
        config: Config,
        budget: Option<RetryBudget>,
        seed: Option<u64>,
        registry: &Registry,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let budget = match budget {
            Some(budget) => budget,
            None => RetryBudget::from_config(config.budget.clone())?,
        };
        let shared = Sharded::new(Shared {
            name: name.clone(),
            config,
            budget,
            seeded: seed.map(|seed| Mutex::new(fastrand::Rng::with_seed(seed))),
            retries: AtomicU64::new(0),
            exhausted: AtomicU64::new(0),
            over_budget: AtomicU64::new(0),
            over_time: AtomicU64::new(0),
        });
        registry.join(PolicyKind::Retry, name, shared.value());
        Ok(Self { shared })
    }

    /// The name.
    pub fn name(&self) -> &Name {
        &self.shared.name
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// The budget.
    pub fn budget(&self) -> &RetryBudget {
        &self.shared.budget
    }

    /// Everything there is to see.
    pub fn status(&self) -> RetryStatus {
        self.shared.status()
    }

    /// Begins a call.
    #[inline]
    pub(super) fn begin(&self, idempotent: bool) -> Call {
        self.shared.budget.deposit();
        let started = self.shared.config.total_time.map(|_| clock::now());
        Call { shared: self.shared.pin(), attempts: 1, idempotent, started }
    }
}

/// One call, and the attempts it has made.
pub(super) struct Call {
    shared: Pinned<Shared>,
    attempts: u32,
    idempotent: bool,
    started: Option<Time>,
}

impl Call {
    /// The attempts that were made or decided on.
    pub(super) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether another attempt after this failure would be safe, and is left.
    pub(super) fn may_retry(&self, failure: &Failure) -> bool {
        if !is_safe(failure, self.idempotent) {
            return false;
        }
        let left = self.attempts < self.shared.config.max_attempts;
        if !left {
            self.shared.exhausted.fetch_add(1, Relaxed);
        }
        left
    }

    /// Takes another attempt, if there is time and budget for it; says how long to wait before it.
    pub(super) fn spend(&mut self, failure: &Failure) -> Option<Duration> {
        let shared = &*self.shared;
        let wait = shared.wait(self.attempts, failure);
        if self.is_too_late(wait) {
            shared.over_time.fetch_add(1, Relaxed);
            return None;
        }
        if !shared.budget.withdraw() {
            shared.over_budget.fetch_add(1, Relaxed);
            return None;
        }
        shared.retries.fetch_add(1, Relaxed);
        self.attempts += 1;
        Some(wait)
    }

    fn is_too_late(&self, wait: Duration) -> bool {
        match (self.started, self.shared.config.total_time) {
            (Some(started), Some(total)) => clock::now().since(started).saturating_add(wait) >= total,
            _ => false,
        }
    }
}

/// Never sent or never processed: always. Otherwise only what is idempotent and may pass.
fn is_safe(failure: &Failure, idempotent: bool) -> bool {
    match failure.delivery {
        Delivery::NotSent | Delivery::NotProcessed => true,
        Delivery::MaybeProcessed => {
            idempotent && !matches!(failure.kind, FailureKind::Validation | FailureKind::DataLoss)
        }
    }
}

impl Shared {
    /// What the dependency asked for, and the backoff: those who were all told the same time are not to
    /// come back together.
    fn wait(&self, retry: u32, failure: &Failure) -> Duration {
        let asked = failure.retry_after.unwrap_or_default().min(self.config.max_retry_after);
        self.config.backoff.delay(retry, self.random()).saturating_add(asked)
    }

    fn random(&self) -> u64 {
        match &self.seeded {
            Some(rng) => rng.lock().unwrap_or_else(PoisonError::into_inner).u64(..),
            None => fastrand::u64(..),
        }
    }

    fn status(&self) -> RetryStatus {
        RetryStatus {
            retries: self.retries.load(Relaxed),
            exhausted: self.exhausted.load(Relaxed),
            over_budget: self.over_budget.load(Relaxed),
            over_time: self.over_time.load(Relaxed),
            budget_available: self.budget.available(),
        }
    }
}

impl fmt::Debug for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryPolicy").field("name", self.name()).field("status", &self.status()).finish()
    }
}

impl Policy for Shared {
    fn measure(&self, into: &mut dyn Measures) {
        let status = self.status();
        for (why, times) in
            [("exhausted", status.exhausted), ("budget", status.over_budget), ("deadline", status.over_time)]
        {
            into.counter(&RETRY_STOPPED, &[why], times);
        }
        into.gauge(&BUDGET_AVAILABLE, &[], status.budget_available as f64);
    }

    fn snapshot(&self) -> Snapshot {
        let status = self.status();
        let spent = status.budget_available == 0;
        Snapshot {
            name: self.name.clone(),
            kind: PolicyKind::Retry,
            state: if spent { "budget_spent" } else { "active" },
            level: if spent { Level::Warning } else { Level::Healthy },
            values: vec![
                ("retries", status.retries.into()),
                ("exhausted", status.exhausted.into()),
                ("over_budget", status.over_budget.into()),
                ("over_time", status.over_time.into()),
                ("budget_available", status.budget_available.into()),
            ],
        }
    }
}
