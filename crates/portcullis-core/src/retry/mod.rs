//! Retrying: how long to wait, and how much of it the dependency can bear.
//!
//! [`Backoff`] spaces the attempts of one call, [`Budget`] bounds the retries of all calls together.
//!
//! ```
//! use portcullis_core::{Time, retry::{Backoff, Budget, BudgetConfig}};
//! use std::time::Duration;
//!
//! let backoff = Backoff::default();
//! assert!(backoff.delay(1, u64::MAX) <= Duration::from_millis(50));
//!
//! let config = BudgetConfig { ratio: 0.2, min_per_second: 0 };
//! let budget = Budget::new(config, 1)?;
//! assert!(!budget.withdraw(Time::ORIGIN), "nothing was called yet");
//! for _ in 0..5 {
//!     budget.deposit(0);
//! }
//! assert!(budget.withdraw(Time::ORIGIN), "five calls pay for one retry");
//! # Ok::<(), portcullis_core::ConfigError>(())
//! ```

mod backoff;
mod budget;

#[cfg(test)]
#[cfg(portcullis_loom)]
mod loom_tests;

pub use backoff::{Backoff, DEFAULT_BASE, DEFAULT_CAP, DEFAULT_FACTOR, Jitter};
pub use budget::{Budget, BudgetConfig, DEFAULT_MIN_PER_SECOND, DEFAULT_RATIO};
