//! Retrying: how long to wait, and how much of it the dependency can bear.
//!
//! [`Backoff`] spaces the attempts of one call, [`Budget`] bounds the retries of all calls together.
//!
//! ```
//! use portcullis_core::{Failure, FailureKind, Time, retry::{After, Backoff, Budget, BudgetConfig}};
//! use std::time::Duration;
//!
//! let failure = Failure::new(FailureKind::Timeout);
//! let first = After { retry: 1, failure: &failure, previous: Duration::ZERO };
//! assert!(Backoff::default().delay(&first, u64::MAX) <= Duration::from_millis(50));
//!
//! let budget = Budget::new(BudgetConfig::share(0.2, 0), 1)?;
//! assert!(budget.withdraw(Time::ORIGIN, &failure).is_none(), "nothing was called yet");
//! for _ in 0..5 {
//!     let _ = budget.begin(0);
//! }
//! assert!(budget.withdraw(Time::ORIGIN, &failure).is_some(), "five calls pay for one retry");
//! # Ok::<(), portcullis_core::ConfigError>(())
//! ```

mod backoff;
mod budget;
mod curve;
mod jitter;

#[cfg(test)]
#[cfg(portcullis_loom)]
mod loom_tests;
#[cfg(test)]
#[cfg(not(portcullis_loom))]
mod spread_tests;

pub use backoff::{Backoff, DEFAULT_BASE, DEFAULT_CAP, DEFAULT_FACTOR};
pub use budget::{
    Budget, BudgetConfig, BudgetMemory, DEFAULT_CAPACITY, DEFAULT_MAX_TOKENS, DEFAULT_MIN_CONCURRENT,
    DEFAULT_MIN_PER_SECOND, DEFAULT_RATIO, DEFAULT_RETRY_COST, DEFAULT_SUCCESS_INCOME, DEFAULT_TIMEOUT_COST,
    DEFAULT_TOKEN_RATIO, Deposits, Interest, Loan,
};
pub use curve::{After, Curve, MAX_LISTED, WaitFn};
pub use jitter::Jitter;
