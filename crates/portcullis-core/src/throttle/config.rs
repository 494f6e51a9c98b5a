//! What a throttle can be told.

use std::{collections::BTreeSet, time::Duration};

use crate::{ConfigError, FailureKind, Mode, check_range};

/// As many requests as twice what is accepted: half of what is sent may be refused before anything is held back.
/// Less saves the dependency more, and learns later that it has recovered.
pub const DEFAULT_K: f64 = 2.0;
/// As in *Site Reliability Engineering*.
pub const DEFAULT_WINDOW: Duration = Duration::from_secs(120);
/// One in ten is let through whatever was seen: nothing else tells that the dependency is back.
pub const DEFAULT_MAX_SHARE: f64 = 0.9;
/// Fewer requests say nothing: after a single failure, the formula holds back every second call.
pub const DEFAULT_MIN_REQUESTS: u32 = 10;
/// The dependency did not take the request, or nobody knows that it did. A failure in the work itself is none of
/// them: the request was accepted, and fewer requests would not help.
pub const DEFAULT_REFUSED_BY: [FailureKind; 5] = [
    FailureKind::Timeout,
    FailureKind::Connection,
    FailureKind::Unavailable,
    FailureKind::RateLimited,
    FailureKind::ResourceExhausted,
];

/// The rules of a throttle.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How many requests are sent for each one that is accepted, before any is held back (default 2); 1.1 to 100.
    /// With 1 nothing would ever be sent in excess, and so nobody learn that more is accepted again.
    pub k: f64,
    /// For how long requests count (default 2 min), in 60 equal steps; 1 s to 1 h.
    pub window: Duration,
    /// The largest share of requests that is held back (default 0.9); 0.01 to 1.
    pub max_share: f64,
    /// Fewer requests in the window say nothing (default 10); 1 to 1,000,000.
    pub min_requests: u32,
    /// Failures by which the dependency did not accept a request (default: timeout, connection, unavailable,
    /// rate-limited, resource-exhausted). All others, and every success, were accepted.
    pub refused_by: BTreeSet<FailureKind>,
    /// Whether calls are held back, or only counted (default: held back).
    pub mode: Mode,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            k: DEFAULT_K,
            window: DEFAULT_WINDOW,
            max_share: DEFAULT_MAX_SHARE,
            min_requests: DEFAULT_MIN_REQUESTS,
            refused_by: BTreeSet::from(DEFAULT_REFUSED_BY),
            mode: Mode::Enforce,
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
        check_range("throttle.k", self.k, 1.1..=100.0)?;
        check_range("throttle.window", self.window, Duration::from_secs(1)..=Duration::from_secs(3600))?;
        check_range("throttle.max_share", self.max_share, 0.01..=1.0)?;
        check_range("throttle.min_requests", self.min_requests, 1..=1_000_000)?;
        self.mode.check("throttle.mode.enforce_percent")
    }

    /// The chance with which a request is held back after so many, of which so many were accepted; 0 to
    /// [`max_share`](Self::max_share).
    ///
    /// ```
    /// use portcullis_core::throttle::Config;
    ///
    /// assert_eq!(Config::default().chance(99, 50), 0.0);
    /// assert_eq!(Config::default().chance(99, 10), 0.79);
    /// assert_eq!(Config::default().chance(99, 0), 0.9);
    /// ```
    pub fn chance(&self, requests: u64, accepted: u64) -> f64 {
        if requests < u64::from(self.min_requests) { 0.0 } else { self.formula(requests, accepted) }
    }

    /// Whether there is no chance only because there are too few requests.
    pub(super) fn is_too_few(&self, requests: u64, accepted: u64) -> bool {
        requests < u64::from(self.min_requests) && self.formula(requests, accepted) > 0.0
    }

    fn formula(&self, requests: u64, accepted: u64) -> f64 {
        let (requests, accepted) = (requests as f64, accepted as f64);
        ((requests - self.k * accepted) / (requests + 1.0)).clamp(0.0, self.max_share)
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_what_is_documented() {
        let config = Config::default();
        assert_eq!(config.check(), Ok(()));
        assert_eq!((config.k, config.max_share, config.min_requests), (2.0, 0.9, 10));
        assert_eq!(config.window, Duration::from_secs(120));
        assert!(!config.refused_by.contains(&FailureKind::Internal));
    }

    #[test]
    fn what_cannot_work_names_its_field() {
        let with = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config.check().unwrap_err().to_string()
        };
        assert_eq!(with(|config| config.k = 1.0), "throttle.k is 1.0: allowed is 1.1 to 100.0");
        assert!(with(|config| config.k = f64::NAN).starts_with("throttle.k is NaN"));
        assert!(with(|config| config.window = Duration::ZERO).starts_with("throttle.window is 0ns"));
        assert!(with(|config| config.window = Duration::MAX).starts_with("throttle.window is "));
        assert!(with(|config| config.max_share = 1.1).starts_with("throttle.max_share is 1.1"));
        assert!(with(|config| config.min_requests = 0).starts_with("throttle.min_requests is 0"));
        assert!(with(|config| config.mode = Mode::EnforcePercent(101)).starts_with("throttle.mode"));
    }

    #[test]
    fn the_formula_is_the_books() {
        let config = Config { min_requests: 1, max_share: 1.0, ..Config::default() };
        assert_eq!(config.chance(0, 0), 0.0);
        assert_eq!(config.chance(1, 0), 0.5);
        assert_eq!(config.chance(9, 3), 0.3);
        assert_eq!(config.chance(9, 9), 0.0, "never less than nothing");
        let eager = Config { k: 1.1, ..config };
        assert!((eager.chance(99, 80) - 0.11).abs() < 1e-12);
    }
}
