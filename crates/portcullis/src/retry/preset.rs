//! Rules for common uses, by name.

use std::{fmt, str::FromStr, time::Duration};

use portcullis_core::{
    ConfigError,
    retry::{Backoff, BudgetConfig},
};

use super::Config;

/// Rules for a common use of retries; a [`Config`] to start from.
///
/// ```
/// use portcullis::retry::Preset;
/// use std::time::Duration;
///
/// let config = Preset::FastApi.config();
/// assert_eq!((config.max_attempts, config.total_time), (3, Some(Duration::from_secs(2))));
/// assert_eq!("fast_api".parse(), Ok(Preset::FastApi));
/// assert!("fast".parse::<Preset>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// An API that answers in milliseconds: 3 attempts with waits from 20 ms to 500 ms, all within 2 s. Who
    /// calls it does not wait for longer, and the first wait is about as long as a call.
    FastApi,
    /// An API that takes seconds, each attempt of which is much work for it: 2 attempts with a wait of up to
    /// 500 ms, all within 60 s, for a tenth of the calls and 2 a second besides.
    SlowApi,
    /// What cannot be done without: 5 attempts with waits from 100 ms to 10 s, all within 60 s, which
    /// outlasts a restart. The budget is the usual one: to be called more often helps nobody who is down.
    CriticalService,
    /// A database: 3 attempts with waits from 50 ms to 2 s, all within 10 s. Deadlocks and failovers pass in
    /// that time; one that is overloaded is brought down by more load, so for a tenth of the calls and 5 a
    /// second besides.
    Database,
    /// A process on the same machine, which is restarted in seconds: 6 attempts with waits from 10 ms to 1 s,
    /// all within 5 s. Calls cost little, so for half of the calls and 50 a second besides.
    LocalIpc,
    /// A model server, each call of which is dear, and which loads its model for a minute: 2 attempts with a
    /// wait of up to 1 s, but up to 2 min when the server asks for it, for a tenth of the calls and 1 a second
    /// besides.
    MlInference,
    /// The [defaults](Config::default).
    Production,
    /// For a developer's machine, where errors are to be seen at once: 2 attempts with a wait of up to 10 ms,
    /// without a budget, so that a call does the same whatever was called before.
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
            Self::FastApi => Config { total_time: seconds(2), ..rules(3, 20, 500) },
            Self::SlowApi => {
                let budget = BudgetConfig::share(0.1, 2);
                Config { total_time: seconds(60), budget, ..rules(2, 500, 10_000) }
            }
            Self::CriticalService => Config { total_time: seconds(60), ..rules(5, 100, 10_000) },
            Self::Database => {
                let budget = BudgetConfig::share(0.1, 5);
                Config { total_time: seconds(10), budget, ..rules(3, 50, 2_000) }
            }
            Self::LocalIpc => {
                let budget = BudgetConfig::share(0.5, 50);
                Config { total_time: seconds(5), budget, ..rules(6, 10, 1_000) }
            }
            Self::MlInference => {
                let budget = BudgetConfig::share(0.1, 1);
                Config { max_retry_after: Duration::from_secs(120), budget, ..rules(2, 1_000, 30_000) }
            }
            Self::Production => Config::default(),
            Self::Development => Config { budget: BudgetConfig::Unlimited, ..rules(2, 10, 10) },
        }
    }
}

/// Attempts, and waits from `base` to `cap` milliseconds.
fn rules(max_attempts: u32, base: u64, cap: u64) -> Config {
    let backoff = Backoff::exponential(Duration::from_millis(base)).cap(Duration::from_millis(cap));
    Config { max_attempts, backoff, ..Config::default() }
}

const fn seconds(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
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
            ConfigError::new("retry.preset", word, allowed)
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
            let waits = (config.backoff.base.as_millis(), config.backoff.cap.as_millis());
            let total = config.total_time.map(|time| time.as_secs());
            (preset.as_str(), config.max_attempts, waits, total, config.budget)
        });
        let promised = [
            ("fast_api", 3, (20, 500), Some(2), BudgetConfig::SHARE),
            ("slow_api", 2, (500, 10_000), Some(60), BudgetConfig::share(0.1, 2)),
            ("critical_service", 5, (100, 10_000), Some(60), BudgetConfig::SHARE),
            ("database", 3, (50, 2_000), Some(10), BudgetConfig::share(0.1, 5)),
            ("local_ipc", 6, (10, 1_000), Some(5), BudgetConfig::share(0.5, 50)),
            ("ml_inference", 2, (1_000, 30_000), None, BudgetConfig::share(0.1, 1)),
            ("production", 3, (50, 20_000), None, BudgetConfig::SHARE),
            ("development", 2, (10, 10), None, BudgetConfig::Unlimited),
        ];
        assert_eq!(rules, promised);
    }

    #[test]
    fn another_word_is_told_what_there_is() {
        let error = "fast".parse::<Preset>().unwrap_err();
        assert_eq!(error.field(), "retry.preset");
        assert!(error.to_string().starts_with("retry.preset is \"fast\": allowed is fast_api, slow_api"));
    }
}
