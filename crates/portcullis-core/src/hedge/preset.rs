//! Rules for common uses, by name.

use std::{fmt, str::FromStr, time::Duration};

use super::{Config, Delay, Percentile};
use crate::ConfigError;

/// Rules for a common use of a hedge; a [`Config`] to start from.
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::hedge::Preset;
///
/// assert_eq!(Preset::CriticalService.config().max_attempts, 3);
/// assert_eq!("database".parse(), Ok(Preset::Database));
/// assert!("db".parse::<Preset>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// An API that answers in milliseconds: p95, 5 ms to 250 ms.
    FastApi,
    /// An API that takes seconds, where a second attempt costs much: p99, 200 ms to 10 s.
    SlowApi,
    /// What must answer, and has the room for it: p90, 5 ms to 1 s, three attempts.
    CriticalService,
    /// Reads that any replica can answer: p95, 2 ms to 500 ms.
    Database,
    /// A process on the same machine, whose tail is the scheduler's: p99, 1 ms to 100 ms.
    LocalIpc,
    /// A model server, of which an attempt takes a whole accelerator: p99, 100 ms to 30 s.
    MlInference,
    /// The [defaults](Config::default).
    Production,
    /// For a developer's machine, where everything is fast or broken: after one second.
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
            Self::FastApi => following(0.95, [5, 250, 100]),
            Self::SlowApi => following(0.99, [200, 10_000, 5_000]),
            Self::CriticalService => Config { max_attempts: 3, ..following(0.9, [5, 1_000, 200]) },
            Self::Database => following(0.95, [2, 500, 100]),
            Self::LocalIpc => following(0.99, [1, 100, 50]),
            Self::MlInference => following(0.99, [100, 30_000, 10_000]),
            Self::Production => Config::default(),
            Self::Development => Config { delay: Delay::Fixed(Duration::from_secs(1)), ..Config::default() },
        }
    }
}

/// A quantile, with the bounds and the initial delay in milliseconds.
fn following(quantile: f64, millis: [u64; 3]) -> Config {
    let [at_least, at_most, initial] = millis.map(Duration::from_millis);
    Config {
        delay: Delay::Percentile(Percentile { quantile, at_least, at_most, initial }),
        ..Config::default()
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
            ConfigError::new("hedge.preset", word, allowed)
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
        assert!(error.to_string().starts_with("hedge.preset is \"fast\": allowed is fast_api, slow_api"));
    }
}
