//! Rules for common uses, by name.

use std::{fmt, str::FromStr, time::Duration};

use super::{Config, Warmup};
use crate::ConfigError;

/// Rules for a common use of a rate limit; a [`Config`] to start from.
///
/// A rate is an agreement, which these cannot know: they are for where there is none, and tell how much usually is
/// too much, who waits, and for how long. Where there is one, say it on top.
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::rate::Preset;
///
/// let config = Preset::MlInference.config();
/// assert_eq!((config.permits, config.burst()), (5, 10));
/// assert_eq!("ml_inference".parse(), Ok(Preset::MlInference));
/// assert!("ml".parse::<Preset>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// An API that answers in milliseconds: 1000 a second, 200 at once, nobody waits.
    FastApi,
    /// An API that takes seconds: 20 a second, 20 at once, 40 wait for up to 2 s.
    SlowApi,
    /// What should refuse nobody but floods: 1000 a second, 2000 at once, 500 wait for up to 500 ms.
    CriticalService,
    /// A database, which has to fill its caches after a start: 500 a second, 100 at once, 200 wait for up to
    /// 500 ms; a fifth of it at first, all after 30 s.
    Database,
    /// A process on the same machine: 10,000 a second, 1000 at once, nobody waits.
    LocalIpc,
    /// A model server, of which a call takes a whole accelerator: 5 a second, 10 at once, 50 wait for up to 10 s.
    MlInference,
    /// The [defaults](Config::default).
    Production,
    /// For a developer's machine, where a limit only catches loops: 10,000 a second, as many at once.
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
            Self::FastApi => rate(1_000, 200),
            Self::SlowApi => waiting(40, 2_000, rate(20, 20)),
            Self::CriticalService => waiting(500, 500, rate(1_000, 2_000)),
            Self::Database => {
                let warmup = Some(Warmup { from: 0.2, time: Duration::from_secs(30) });
                Config { warmup, ..waiting(200, 500, rate(500, 100)) }
            }
            Self::LocalIpc => rate(10_000, 1_000),
            Self::MlInference => waiting(50, 10_000, rate(5, 10)),
            Self::Production => Config::default(),
            Self::Development => rate(10_000, 10_000),
        }
    }
}

/// So many a second, and so many at once.
fn rate(permits: u32, burst: u32) -> Config {
    Config { permits, burst: Some(burst), ..Config::default() }
}

/// With so many that wait, for so many milliseconds.
fn waiting(max_queued: u32, millis: u64, config: Config) -> Config {
    Config { max_queued, max_wait: Duration::from_millis(millis), ..config }
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
            ConfigError::new("rate.preset", word, allowed)
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
        assert!(error.to_string().starts_with("rate.preset is \"fast\": allowed is fast_api, slow_api"));
    }
}
