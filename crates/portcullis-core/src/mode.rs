//! Whether a policy does what it decides.

use std::fmt;

use crate::{ConfigError, check_range};

/// Whether a policy does what it decides, or only counts it. For trying out a policy on live traffic.
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::Mode;
///
/// assert_eq!(Mode::EnforcePercent(25).share(), 0.25);
/// assert!(Mode::EnforcePercent(101).check("retry.mode.enforce_percent").is_err());
/// ```
///
/// A decision is a breaker's refusal, a retry's further attempt, a hedge. An isolated breaker refuses in
/// every mode but `Disabled`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// What is decided is done.
    #[default]
    Enforce,
    /// Nothing is done, but it is counted: calls that are to be refused pass, further attempts are not made.
    Shadow,
    /// So many percent of what is decided is done, by lot; 0 to 100.
    EnforcePercent(u8),
    /// As if the policy were not there: nothing is decided, and nothing is recorded. What ends an override
    /// of a breaker, or resets it, leads back to this.
    Disabled,
}

impl Mode {
    /// Checks the percentage, which is the configuration's `field`.
    ///
    /// # Errors
    ///
    /// When it is more than 100.
    pub fn check(self, field: &'static str) -> Result<(), ConfigError> {
        match self {
            Self::EnforcePercent(percent) => check_range(field, percent, 0..=100),
            _ => Ok(()),
        }
    }

    /// The share of decisions that are done, 0 to 1.
    pub fn share(self) -> f64 {
        match self {
            Self::Enforce => 1.0,
            Self::Shadow | Self::Disabled => 0.0,
            Self::EnforcePercent(percent) => f64::from(percent) / 100.0,
        }
    }

    /// The mode's word, as it stands in metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Shadow => "shadow",
            Self::EnforcePercent(_) => "enforce_percent",
            Self::Disabled => "disabled",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EnforcePercent(percent) => write!(f, "enforce {percent} %"),
            other => f.write_str(other.as_str()),
        }
    }
}
