//! Rules for common uses, by name.

use std::{fmt, str::FromStr, time::Duration};

use super::Config;
use crate::ConfigError;

/// Rules for a common use of a pool of threads; a [`Config`] to start from. The number of threads is the least
/// certain of them: it is what the dependency, or the machine, can do at a time.
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::pool::Preset;
///
/// assert_eq!(Preset::Database.config().threads, 20);
/// assert_eq!("database".parse(), Ok(Preset::Database));
/// assert!("db".parse::<Preset>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// A blocking client of an API that answers in milliseconds: 32 threads, nobody waits.
    FastApi,
    /// A blocking client of an API that takes seconds: 50 threads, 50 calls wait for up to 2 s.
    SlowApi,
    /// What must answer: 50 threads, which are kept for a minute; 100 calls wait for up to 500 ms.
    CriticalService,
    /// A blocking driver with a connection to each thread: 20 threads, which are kept for a minute; 100 calls
    /// wait for up to 500 ms.
    Database,
    /// Calls into a process on the same machine: 8 threads, 64 calls wait for up to 50 ms.
    LocalIpc,
    /// Computations that take a core each, for seconds: 4 threads, 32 calls wait for up to 10 s.
    MlInference,
    /// The [defaults](Config::default).
    Production,
    /// For a developer's machine, where little runs at a time and refusals are in the way: 4 threads, 1000 calls
    /// wait for up to 30 s.
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
        let minute = Duration::from_secs(60);
        match self {
            Self::FastApi => Config { threads: 32, ..Config::default() },
            Self::SlowApi => queued(50, 50, 2_000),
            Self::CriticalService => Config { keep_alive: minute, ..queued(50, 100, 500) },
            Self::Database => Config { keep_alive: minute, ..queued(20, 100, 500) },
            Self::LocalIpc => queued(8, 64, 50),
            Self::MlInference => queued(4, 32, 10_000),
            Self::Production => Config::default(),
            Self::Development => queued(4, 1_000, 30_000),
        }
    }
}

/// So many threads, and so many calls that wait for so many milliseconds.
fn queued(threads: u32, max_queued: u32, millis: u64) -> Config {
    Config { threads, max_queued, max_wait: Duration::from_millis(millis), ..Config::default() }
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
            ConfigError::new("thread_pool.preset", word, allowed)
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
            error.to_string().starts_with("thread_pool.preset is \"fast\": allowed is fast_api, slow_api")
        );
    }
}
