//! What a timeout can be told.

use std::time::Duration;

use super::{Adaptive, Preset};
use crate::{ConfigError, Mode, TimeoutScope, check_range};

/// Longer than nearly everything that answers at all, shorter than a caller's patience.
pub const DEFAULT_LIMIT: Duration = Duration::from_secs(10);
/// Timers tell no less.
pub const SHORTEST: Duration = Duration::from_millis(1);
/// Who waits for longer does not wait for an answer.
pub const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The rules of a timeout.
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::timeout::{Config, Preset};
/// use std::time::Duration;
///
/// assert_eq!(Config::from(Duration::from_secs(1)).body, None);
/// assert_eq!(Config::from(Preset::FastApi).limit, Duration::from_secs(1));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How long a call may take (default 10 s); 1 ms to 24 h. With `adaptive` the longest that it may take.
    pub limit: Duration,
    /// What is timed: the whole call (default), or one attempt of it. It only names the timeout in rejections and
    /// metrics.
    pub scope: TimeoutScope,
    /// Whether the time goes on while the response's body is read (default: it does not).
    pub whole_response: bool,
    /// How long a response's body may be read, from its head on (default: as long as it takes); 1 ms to 24 h.
    pub body: Option<Duration>,
    /// How long a response's body may pause before its next frame (default: as long as it likes); 1 ms to 24 h.
    pub body_idle: Option<Duration>,
    /// Whether late calls are ended, or only counted (default: ended).
    pub mode: Mode,
    /// Makes the limit follow how long calls take (default: it does not).
    pub adaptive: Option<Adaptive>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limit: DEFAULT_LIMIT,
            scope: TimeoutScope::Total,
            whole_response: false,
            body: None,
            body_idle: None,
            mode: Mode::Enforce,
            adaptive: None,
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
        check_range("timeout.limit", self.limit, SHORTEST..=LONGEST)?;
        for (field, time) in [("timeout.body", self.body), ("timeout.body_idle", self.body_idle)] {
            time.map_or(Ok(()), |time| check_range(field, time, SHORTEST..=LONGEST))?;
        }
        if matches!(self.scope, TimeoutScope::Body | TimeoutScope::Idle) {
            return Err(ConfigError::new("timeout.scope", self.scope, "Attempt or Total"));
        }
        self.mode.check("timeout.mode.enforce_percent")?;
        self.adaptive.map_or(Ok(()), |adaptive| adaptive.check(self.limit))
    }
}

/// The defaults with this limit.
impl From<Duration> for Config {
    fn from(limit: Duration) -> Self {
        Self { limit, ..Self::default() }
    }
}

impl From<Preset> for Config {
    fn from(preset: Preset) -> Self {
        preset.config()
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_what_is_documented() {
        let config = Config::default();
        assert_eq!(config.check(), Ok(()));
        assert_eq!((config.limit, config.scope), (Duration::from_secs(10), TimeoutScope::Total));
        let adaptive = Adaptive::default();
        assert_eq!((adaptive.quantile, adaptive.factor, adaptive.min_calls), (0.99, 2.0, 100));
        assert_eq!(adaptive.at_least, Duration::from_millis(10));
    }

    #[test]
    fn what_cannot_work_names_its_field() {
        let with = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config.check().unwrap_err().to_string()
        };
        let adaptive = |change: fn(&mut Adaptive)| {
            let mut adaptive = Adaptive::default();
            change(&mut adaptive);
            let config = Config { adaptive: Some(adaptive), ..Config::default() };
            config.check().unwrap_err().to_string()
        };
        assert_eq!(
            with(|config| config.limit = Duration::ZERO),
            "timeout.limit is 0ns: allowed is 1ms to 86400s"
        );
        assert!(with(|config| config.body = Some(Duration::MAX)).starts_with("timeout.body is "));
        assert!(with(|config| config.body_idle = Some(Duration::ZERO)).starts_with("timeout.body_idle is "));
        let scope = with(|config| config.scope = TimeoutScope::Body);
        assert_eq!(scope, "timeout.scope is Body: allowed is Attempt or Total");
        assert!(with(|config| config.mode = Mode::EnforcePercent(101)).starts_with("timeout.mode"));
        assert!(adaptive(|rule| rule.quantile = f64::NAN).starts_with("timeout.adaptive.quantile is NaN"));
        assert_eq!(
            adaptive(|rule| rule.factor = 1.0),
            "timeout.adaptive.factor is 1.0: allowed is 1.5 to 100.0",
        );
        assert_eq!(
            adaptive(|rule| rule.at_least = Duration::from_secs(11)),
            "timeout.adaptive.at_least is 11s: allowed is 1ms to 10s",
        );
        assert!(adaptive(|rule| rule.min_calls = 0).starts_with("timeout.adaptive.min_calls is 0"));
    }
}
