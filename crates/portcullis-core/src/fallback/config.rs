//! What a fallback can be told.

use std::collections::BTreeSet;

use crate::{ConfigError, FailureKind, Mode};

/// The rules of a fallback.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Failures of these kinds are covered (default: all but [validation](FailureKind::Validation) and
    /// [data loss](FailureKind::DataLoss), which are the caller's to know).
    pub kinds: BTreeSet<FailureKind>,
    /// Whether refusals by policies below are covered: an open breaker, a full bulkhead (default: they are). A
    /// timeout is none: it is a failure of its kind.
    pub refusals: bool,
    /// Whether something else is answered, or only counted (default: answered).
    pub mode: Mode,
}

impl Default for Config {
    fn default() -> Self {
        let others = [FailureKind::DataLoss, FailureKind::Validation];
        let kinds = FailureKind::ALL.into_iter().filter(|kind| !others.contains(kind));
        Self { kinds: kinds.collect(), refusals: true, mode: Mode::Enforce }
    }
}

impl Config {
    /// Checks every field.
    ///
    /// # Errors
    ///
    /// When nothing is covered, or the mode's percentage is more than 100.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.kinds.is_empty() && !self.refusals {
            return Err(ConfigError::new("fallback.kinds", &self.kinds, "at least one, or refusals"));
        }
        self.mode.check("fallback.mode.enforce_percent")
    }

    /// Whether failures of this kind are covered.
    pub fn covers_kind(&self, kind: FailureKind) -> bool {
        self.kinds.contains(&kind)
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_what_is_documented() {
        let config = Config::default();
        assert_eq!(config.check(), Ok(()));
        let not: Vec<_> = FailureKind::ALL.into_iter().filter(|kind| !config.covers_kind(*kind)).collect();
        assert_eq!(not, [FailureKind::DataLoss, FailureKind::Validation]);
    }

    #[test]
    fn what_can_never_fall_back_is_refused() {
        let never = Config { kinds: BTreeSet::new(), refusals: false, ..Config::default() };
        let told = never.check().unwrap_err().to_string();
        assert_eq!(told, "fallback.kinds is {}: allowed is at least one, or refusals");
        let mode = Config { mode: Mode::EnforcePercent(101), ..Config::default() };
        assert_eq!(mode.check().unwrap_err().field(), "fallback.mode.enforce_percent");
    }
}
