//! Rules for common uses, by name.

use std::{fmt, str::FromStr, time::Duration};

use super::Config;
use crate::ConfigError;

/// Rules for a common use of a breaker; a [`Config`] to start from.
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::breaker::Preset;
/// use std::time::Duration;
///
/// let config = Preset::LocalIpc.config();
/// assert_eq!((config.consecutive_failures, config.open_for), (Some(8), Duration::from_secs(5)));
/// assert_eq!("local_ipc".parse(), Ok(Preset::LocalIpc));
/// assert!("local".parse::<Preset>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// An API that answers in milliseconds: 5 failures in a row, open for 30 s.
    FastApi,
    /// An API that takes seconds, so that each failure costs a caller dearly: 3, 60 s.
    SlowApi,
    /// What cannot be done without: 10, so that it is not given up lightly, and then 120 s to recover.
    CriticalService,
    /// Native code behind a boundary, which fails by its input or not at all: 5, 30 s.
    NativeProcessing,
    /// A model server, slow to load and slow to come back: 3, 60 s.
    MlInference,
    /// A process on the same machine, which is restarted in seconds: 8, 5 s.
    LocalIpc,
    /// A check of data that can be put off: 4, 15 s.
    Validator,
    /// The [defaults](Config::default).
    Production,
    /// For a developer's machine, where things are broken on purpose and mended at once: 10 failures in a
    /// row and no ratio, open for 1 s.
    Development,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 9] = [
        Self::FastApi,
        Self::SlowApi,
        Self::CriticalService,
        Self::NativeProcessing,
        Self::MlInference,
        Self::LocalIpc,
        Self::Validator,
        Self::Production,
        Self::Development,
    ];

    /// The preset's word, as it stands in configurations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FastApi => "fast_api",
            Self::SlowApi => "slow_api",
            Self::CriticalService => "critical_service",
            Self::NativeProcessing => "native_processing",
            Self::MlInference => "ml_inference",
            Self::LocalIpc => "local_ipc",
            Self::Validator => "validator",
            Self::Production => "production",
            Self::Development => "development",
        }
    }

    /// The rules.
    pub fn config(self) -> Config {
        let after = |failures, seconds| Config {
            consecutive_failures: Some(failures),
            open_for: Duration::from_secs(seconds),
            ..Config::default()
        };
        match self {
            Self::FastApi | Self::NativeProcessing => after(5, 30),
            Self::SlowApi | Self::MlInference => after(3, 60),
            Self::CriticalService => after(10, 120),
            Self::LocalIpc => after(8, 5),
            Self::Validator => after(4, 15),
            Self::Production => Config::default(),
            Self::Development => Config { failure_ratio: None, ..after(10, 1) },
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
            ConfigError::new("breaker.preset", word, allowed)
        })
    }
}

#[cfg(test)]
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
    fn the_presets_are_what_users_were_promised() {
        let rules = Preset::ALL.map(|preset| {
            let config = preset.config();
            (preset.as_str(), config.consecutive_failures.unwrap(), config.open_for.as_secs())
        });
        let promised = [
            ("fast_api", 5, 30),
            ("slow_api", 3, 60),
            ("critical_service", 10, 120),
            ("native_processing", 5, 30),
            ("ml_inference", 3, 60),
            ("local_ipc", 8, 5),
            ("validator", 4, 15),
            ("production", 5, 5),
            ("development", 10, 1),
        ];
        assert_eq!(rules, promised);
    }

    #[test]
    fn another_word_is_told_what_there_is() {
        let error = "fast".parse::<Preset>().unwrap_err();
        assert_eq!(error.field(), "breaker.preset");
        assert!(error.to_string().starts_with("breaker.preset is \"fast\": allowed is fast_api, slow_api"));
    }
}
