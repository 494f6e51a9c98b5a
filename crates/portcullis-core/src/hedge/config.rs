//! What a hedge can be told.

use std::{collections::BTreeSet, time::Duration};

use super::Delay;
use crate::{ConfigError, FailureKind, Mode, check_range, retry::BudgetConfig};

/// The first and one more: the second takes nearly all of the tail away, and a third adds load for little.
pub const DEFAULT_MAX_ATTEMPTS: u32 = 2;
/// As many as gRFC A6 allows.
pub const MAX_ATTEMPTS: u32 = 5;
/// A dependency may ask for patience, but not for more than callers have.
pub const DEFAULT_MAX_RETRY_AFTER: Duration = Duration::from_secs(30);

/// The longest delay.
pub(super) const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The rules of a hedge.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How long an attempt is waited for before another is sent (default: as long as 95 of 100 take).
    pub delay: Delay,
    /// Attempts in total, with the first (default 2); 2 to 5.
    pub max_attempts: u32,
    /// The longest wait a dependency can ask for (default 30 s); 0 to 24 h.
    pub max_retry_after: Duration,
    /// Failures of these kinds end the call, but where nothing was processed: another attempt would fail the
    /// same (default: validation and data loss).
    pub fatal: BTreeSet<FailureKind>,
    /// Whether hedges are sent, or only counted (default: sent).
    pub mode: Mode,
    /// The budget, unless a shared one is given.
    pub budget: BudgetConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            delay: Delay::default(),
            max_attempts: DEFAULT_MAX_ATTEMPTS,
            max_retry_after: DEFAULT_MAX_RETRY_AFTER,
            fatal: BTreeSet::from([FailureKind::DataLoss, FailureKind::Validation]),
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
        self.delay.check()?;
        check_range("hedge.max_attempts", self.max_attempts, 2..=MAX_ATTEMPTS)?;
        check_range("hedge.max_retry_after", self.max_retry_after, Duration::ZERO..=LONGEST)?;
        self.mode.check("hedge.mode.enforce_percent")?;
        self.budget.check()
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;
    use crate::hedge::Percentile;

    #[test]
    fn the_defaults_are_valid_and_what_is_documented() {
        let config = Config::default();
        assert_eq!(config.check(), Ok(()));
        assert_eq!(config.max_attempts, 2);
        let Delay::Percentile(percentile) = config.delay else { panic!("{:?}", config.delay) };
        assert_eq!(percentile.quantile, 0.95);
        assert_eq!(percentile.at_least, Duration::from_millis(5));
        assert_eq!(percentile.at_most, Duration::from_secs(5));
        assert_eq!(percentile.initial, Duration::from_secs(1));
    }

    #[test]
    fn what_cannot_work_names_its_field() {
        let with = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config.check().unwrap_err().to_string()
        };
        assert_eq!(with(|config| config.max_attempts = 1), "hedge.max_attempts is 1: allowed is 2 to 5");
        assert_eq!(with(|config| config.max_attempts = 6), "hedge.max_attempts is 6: allowed is 2 to 5");
        assert!(with(|config| config.delay = Delay::Fixed(Duration::MAX)).starts_with("hedge.delay is "));
        assert!(with(|config| config.max_retry_after = Duration::MAX).starts_with("hedge.max_retry_after"));
        assert!(with(|config| config.mode = Mode::EnforcePercent(101)).starts_with("hedge.mode"));
        let crossed = |config: &mut Config| {
            let (at_least, at_most) = (Duration::from_millis(2), Duration::from_millis(1));
            config.delay = Delay::Percentile(Percentile { at_least, at_most, ..Percentile::default() });
        };
        assert_eq!(with(crossed), "hedge.delay.at_least is 2ms: allowed is 0ns to 1ms");
        let certain = |config: &mut Config| config.delay = Delay::percentile(1.0);
        assert_eq!(with(certain), "hedge.delay.quantile is 1.0: allowed is 0.5 to 0.999");
    }
}
