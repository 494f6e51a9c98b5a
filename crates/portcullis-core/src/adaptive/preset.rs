//! Rules for common uses, by name.

use std::{fmt, str::FromStr, time::Duration};

use super::{Algorithm, Config, Gradient};
use crate::ConfigError;

/// Rules for a common use of an adaptive limit; a [`Config`] to start from. They say where the search begins, where it
/// ends, and when a call has taken too long whatever has been usual.
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::adaptive::Preset;
///
/// assert_eq!(Preset::MlInference.config().initial, 2);
/// assert_eq!("ml_inference".parse(), Ok(Preset::MlInference));
/// assert!("ml".parse::<Preset>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// An API that answers in milliseconds: from 50, up to 1000; a second is too long.
    FastApi,
    /// An API that takes seconds, and not always as many: by the gradient, from 10, up to 200; a minute is too long.
    SlowApi,
    /// What should lose little when it seems to be overloaded: from 50, at least 10, and a twentieth less after
    /// congestion; five seconds are too long.
    CriticalService,
    /// A pool of connections: from 10, up to 200; five seconds are too long.
    Database,
    /// A process on the same machine, in which a queue is short: from 16, up to 500, decided every 20 ms; 100 ms are too
    /// long.
    LocalIpc,
    /// A model server, of which a call takes a whole accelerator: by the gradient with a queue of one, from 2, up to 64,
    /// by five calls; two minutes are too long.
    MlInference,
    /// The [defaults](Config::default).
    Production,
    /// For a developer's machine, where everything is slow at times: from 100, and never less than 50.
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
            Self::FastApi => within(1_000, [1, 50, 1_000]),
            Self::SlowApi => {
                let algorithm = Algorithm::Gradient(Gradient::default());
                Config { algorithm, ..within(60_000, [1, 10, 200]) }
            }
            Self::CriticalService => Config { backoff: 0.95, ..within(5_000, [10, 50, 1_000]) },
            Self::Database => within(5_000, [1, 10, 200]),
            Self::LocalIpc => Config { window: Duration::from_millis(20), ..within(100, [1, 16, 500]) },
            Self::MlInference => {
                let algorithm = Algorithm::Gradient(Gradient { queue: 1, ..Gradient::default() });
                Config { algorithm, min_samples: 5, ..within(120_000, [1, 2, 64]) }
            }
            Self::Production => Config::default(),
            Self::Development => Config { min: 50, initial: 100, ..Config::default() },
        }
    }
}

/// A ceiling in milliseconds, and the lowest, the first and the highest limit.
fn within(millis: u64, [min, initial, max]: [u32; 3]) -> Config {
    let ceiling = Some(Duration::from_millis(millis));
    Config { ceiling, min, initial, max, ..Config::default() }
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
            ConfigError::new("adaptive_limit.preset", word, allowed)
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
        assert!(
            error.to_string().starts_with("adaptive_limit.preset is \"fast\": allowed is fast_api, slow_api")
        );
    }
}
