//! The settings of one check.

use std::time::Duration;

use super::CheckPreset;
use crate::{ConfigError, check_range};

/// Long enough for what is slow and works; what takes longer does not help whoever waits for it.
pub const DEFAULT_CHECK_TIMEOUT: Duration = Duration::from_secs(5);
/// Often enough for people and for load balancers, and no load on anything.
pub const DEFAULT_CHECK_INTERVAL: Duration = Duration::from_secs(30);
/// Enough that a fleet that was started together does not ask together for long.
pub const DEFAULT_CHECK_JITTER: f64 = 0.1;
/// The least there is: who asks wants to know how it is now.
pub const DEFAULT_CHECK_CACHE: Duration = Duration::from_secs(5);
/// A quarter of an hour at the usual interval.
pub const DEFAULT_CHECK_HISTORY: u32 = 32;

const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(60 * 60);
const LEAST_CACHE: Duration = Duration::from_secs(5);
const MOST_CACHE: Duration = Duration::from_secs(5 * 60);

/// The rules of a check.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckConfig {
    /// Whether the service cannot work without what it checks (default false): a check that failed is then
    /// critical instead of degraded.
    pub critical: bool,
    /// A check without an answer after this time has failed (default 5 s); 1 ms to 1 h.
    pub timeout: Duration,
    /// The time between the end of one run and the next (default 30 s), 1 ms to 24 h; `None` when it only runs
    /// where somebody asks.
    pub interval: Option<Duration>,
    /// How much of each interval is left to chance, downwards (default 0.1); 0 to 1.
    pub jitter: f64,
    /// An answer younger than this is good enough for whoever asks (default 5 s); 5 s to 5 min. It does not hold
    /// back the interval.
    pub cache: Duration,
    /// How many of the last results are kept (default 32); 1 to 1000.
    pub history: u32,
}

impl Default for CheckConfig {
    fn default() -> Self {
        Self {
            critical: false,
            timeout: DEFAULT_CHECK_TIMEOUT,
            interval: Some(DEFAULT_CHECK_INTERVAL),
            jitter: DEFAULT_CHECK_JITTER,
            cache: DEFAULT_CHECK_CACHE,
            history: DEFAULT_CHECK_HISTORY,
        }
    }
}

impl From<CheckPreset> for CheckConfig {
    fn from(preset: CheckPreset) -> Self {
        preset.config()
    }
}

impl CheckConfig {
    /// Checks every field.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        check_range("health_check.timeout", self.timeout, SHORTEST..=LONGEST_TIMEOUT)?;
        if let Some(interval) = self.interval {
            check_range("health_check.interval", interval, SHORTEST..=LONGEST)?;
        }
        check_range("health_check.jitter", self.jitter, 0.0..=1.0)?;
        check_range("health_check.cache", self.cache, LEAST_CACHE..=MOST_CACHE)?;
        check_range("health_check.history", self.history, 1..=1000)
    }

    /// How long until the next run, where `chance` is any number from 0 to 1; `None` when there is to be none.
    pub fn next_in(&self, chance: f64) -> Option<Duration> {
        let share = (1.0 - self.jitter * chance).clamp(0.0, 1.0);
        self.interval.map(|interval| interval.mul_f64(share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_only_shortens() {
        let config = CheckConfig { jitter: 0.2, ..CheckConfig::default() };
        assert_eq!(config.next_in(0.0), Some(Duration::from_secs(30)));
        assert_eq!(config.next_in(1.0), Some(Duration::from_secs(24)));
        assert_eq!(CheckConfig { interval: None, ..config }.next_in(0.5), None);
    }

    #[test]
    fn presets_are_valid() {
        for preset in CheckPreset::ALL {
            assert_eq!(preset.config().check(), Ok(()), "{preset}");
        }
    }
}
