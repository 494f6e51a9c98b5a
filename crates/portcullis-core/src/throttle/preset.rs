//! Rules for common uses, by name.

use std::{fmt, str::FromStr, time::Duration};

use super::Config;
use crate::ConfigError;

/// Rules for a common use of a throttle; a [`Config`] to start from.
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::throttle::Preset;
///
/// assert_eq!(Preset::FastApi.config().window.as_secs(), 30);
/// assert_eq!("database".parse(), Ok(Preset::Database));
/// assert!("db".parse::<Preset>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// An API that answers in milliseconds, many times a second: 30 s are enough to know, of 50 requests at least.
    FastApi,
    /// An API that takes seconds: 5 min, because what is under way for less than 5 s says nothing yet.
    SlowApi,
    /// What must be asked as long as there is hope: k = 3, no more than 70 % held back.
    CriticalService,
    /// A database, to which each refused query has cost a connection: k = 1.5 over 1 min.
    Database,
    /// A process on the same machine, which is restarted in seconds: 10 s.
    LocalIpc,
    /// A model server, where what is under way for less than 10 s says nothing yet: 10 min, of 5 requests at least.
    MlInference,
    /// The [defaults](Config::default).
    Production,
    /// For a developer's machine, where things are broken on purpose and mended at once: 10 s, and half is let
    /// through.
    Development,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 8] = [
        Self::FastApi,
        Self::SlowApi,
        Self::CriticalService,
        Self::Database,
        Self::LocalIpc,
        Self::MlInference,
        Self::Production,
        Self::Development,
    ];

    /// The preset's word, as it stands in configurations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FastApi => "fast_api",
            Self::SlowApi => "slow_api",
            Self::CriticalService => "critical_service",
            Self::Database => "database",
            Self::LocalIpc => "local_ipc",
            Self::MlInference => "ml_inference",
            Self::Production => "production",
            Self::Development => "development",
        }
    }

    /// The rules.
    pub fn config(self) -> Config {
        match self {
            Self::FastApi => Config { min_requests: 50, ..over(30) },
            Self::SlowApi => over(300),
            Self::CriticalService => Config { k: 3.0, max_share: 0.7, ..Config::default() },
            Self::Database => Config { k: 1.5, ..over(60) },
            Self::LocalIpc => over(10),
            Self::MlInference => Config { min_requests: 5, ..over(600) },
            Self::Production => Config::default(),
            Self::Development => Config { max_share: 0.5, ..over(10) },
        }
    }
}

/// A window of so many seconds.
fn over(seconds: u64) -> Config {
    Config { window: Duration::from_secs(seconds), ..Config::default() }
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
            ConfigError::new("throttle.preset", word, allowed)
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
    }

    #[test]
    fn another_word_is_told_what_there_is() {
        let error = "fast".parse::<Preset>().unwrap_err();
        assert!(error.to_string().starts_with("throttle.preset is \"fast\": allowed is fast_api, slow_api"));
    }
}
