//! Rules for common uses, by name.

use std::{fmt, str::FromStr, time::Duration};

use super::{Config, Pressure, QueueDelay};
use crate::{ConfigError, Mode};

/// Rules for a common kind of server; a [`Config`] to start from. None has a limit on calls in flight: that
/// number is yours.
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::{Mode, shed::Preset};
///
/// assert_eq!(Preset::Development.config().mode, Mode::Shadow);
/// assert_eq!("fast_api".parse(), Ok(Preset::FastApi));
/// assert!("fast".parse::<Preset>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// An API that answers in milliseconds: waits of 5 ms, in 50 ms.
    FastApi,
    /// An API that takes seconds, and whose callers wait: 100 ms, in 500 ms.
    SlowApi,
    /// What must answer, and of which many instances depend: waits of 20 ms, and processors busy for 0.9 of the
    /// time.
    CriticalService,
    /// The [defaults](Config::default).
    Production,
    /// For a developer's machine, where builds and tests run besides: only counts.
    Development,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 5] =
        [Self::FastApi, Self::SlowApi, Self::CriticalService, Self::Production, Self::Development];

    /// The preset's word, as it stands in configurations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FastApi => "fast_api",
            Self::SlowApi => "slow_api",
            Self::CriticalService => "critical_service",
            Self::Production => "production",
            Self::Development => "development",
        }
    }

    /// The rules.
    pub fn config(self) -> Config {
        match self {
            Self::FastApi => delayed(5, 50),
            Self::SlowApi => delayed(100, 500),
            Self::CriticalService => Config { pressure: Some(Pressure::of_cpu(0.9)), ..Config::default() },
            Self::Production => Config::default(),
            Self::Development => Config { mode: Mode::Shadow, ..Config::default() },
        }
    }
}

/// A target and an interval in milliseconds.
fn delayed(target: u64, interval: u64) -> Config {
    let [target, interval] = [target, interval].map(Duration::from_millis);
    Config { queue_delay: Some(QueueDelay { target, interval }), ..Config::default() }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Preset {
    type Err = ConfigError;

    fn from_str(word: &str) -> Result<Self, ConfigError> {
        let found = Self::ALL.into_iter().find(|preset| preset.as_str() == word);
        found.ok_or_else(|| {
            let allowed = Self::ALL.map(Self::as_str).join(", ");
            ConfigError::new("load_shed.preset", word, allowed)
        })
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_valid_and_found_by_its_word() {
        for preset in Preset::ALL {
            assert_eq!(preset.config().check(), Ok(()), "{preset}");
            assert_eq!(preset.as_str().parse(), Ok(preset));
        }
        let error = "fast".parse::<Preset>().unwrap_err();
        assert!(error.to_string().starts_with("load_shed.preset is \"fast\": allowed is fast_api, slow_api"));
    }
}
