//! Rules for common uses, by name.

use std::{fmt, str::FromStr, time::Duration};

use super::{Codel, Config, Order};
use crate::{ConfigError, Priority};

/// Rules for a common use of a bulkhead; a [`Config`] to start from. The number of permits is the least certain
/// of them: it is what the dependency can do at a time.
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::bulkhead::Preset;
///
/// assert_eq!(Preset::Database.config().max_in_flight, 20);
/// assert_eq!("database".parse(), Ok(Preset::Database));
/// assert!("db".parse::<Preset>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// An API that answers in milliseconds, where a queue would only be delay: 200 permits, nobody waits.
    FastApi,
    /// An API that takes seconds, of which a few calls at a time are much: 50 permits, 50 wait for up to 2 s.
    SlowApi,
    /// What matters to some callers more than to others: 100 permits, of which 20 are kept for the priorities
    /// above normal; 100 wait for up to 500 ms, the most important first.
    CriticalService,
    /// A pool of connections: 20 permits, 100 wait for up to 500 ms, and those who waited too long are dropped
    /// when all do.
    Database,
    /// A process on the same machine, which has as many cores: 64 permits, 64 wait for up to 50 ms.
    LocalIpc,
    /// A model server, of which a call takes a whole accelerator: 4 permits, 32 wait for up to 10 s.
    MlInference,
    /// The [defaults](Config::default).
    Production,
    /// For a developer's machine, where little runs at a time and refusals are in the way: 10 permits, 1000 wait
    /// for up to 30 s.
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
            Self::FastApi => Config { max_in_flight: 200, ..Config::default() },
            Self::SlowApi => queued(50, 50, 2_000),
            Self::CriticalService => {
                let mut config = Config { order: Order::Priority, ..queued(100, 100, 500) };
                config.reserved[Priority::High as usize] = 20;
                config
            }
            Self::Database => Config { codel: Some(Codel::default()), ..queued(20, 100, 500) },
            Self::LocalIpc => queued(64, 64, 50),
            Self::MlInference => queued(4, 32, 10_000),
            Self::Production => Config::default(),
            Self::Development => queued(10, 1_000, 30_000),
        }
    }
}

/// So many permits, and so many calls that wait for so many milliseconds.
fn queued(max_in_flight: u32, max_queued: u32, millis: u64) -> Config {
    Config { max_in_flight, max_queued, max_wait: Duration::from_millis(millis), ..Config::default() }
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
            ConfigError::new("bulkhead.preset", word, allowed)
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
        assert!(error.to_string().starts_with("bulkhead.preset is \"fast\": allowed is fast_api, slow_api"));
    }
}
