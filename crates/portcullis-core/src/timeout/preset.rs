//! Rules for common uses, by name.

use std::{fmt, str::FromStr, time::Duration};

use super::{Adaptive, Config};
use crate::ConfigError;

/// Rules for a common use of a timeout; a [`Config`] to start from.
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::timeout::Preset;
/// use std::time::Duration;
///
/// assert_eq!(Preset::Database.config().limit, Duration::from_secs(5));
/// assert_eq!("database".parse(), Ok(Preset::Database));
/// assert!("db".parse::<Preset>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// An API that answers in milliseconds: 1 s, or four times as long as 99 of 100 take.
    FastApi,
    /// An API that takes seconds: 30 s, and no pause of 10 s in a body.
    SlowApi,
    /// What must answer, and is waited for as long as that helps: 5 s.
    CriticalService,
    /// A database: 5 s, also for reading the result.
    Database,
    /// A process on the same machine: 250 ms.
    LocalIpc,
    /// A model server that streams its answer: 2 min, and no pause of 30 s in it.
    MlInference,
    /// The [defaults](Config::default).
    Production,
    /// For a developer's machine, where somebody may sit at a breakpoint: 5 min.
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
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        match self {
            Self::FastApi => {
                let adaptive = Some(Adaptive { factor: 4.0, ..Adaptive::default() });
                Config { adaptive, ..second.into() }
            }
            Self::SlowApi => Config { body_idle: Some(10 * second), ..(30 * second).into() },
            Self::CriticalService => (5 * second).into(),
            Self::Database => Config { whole_response: true, ..(5 * second).into() },
            Self::LocalIpc => Duration::from_millis(250).into(),
            Self::MlInference => Config { body_idle: Some(30 * second), ..(2 * minute).into() },
            Self::Production => Config::default(),
            Self::Development => (5 * minute).into(),
        }
    }
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
            ConfigError::new("timeout.preset", word, allowed)
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
}
