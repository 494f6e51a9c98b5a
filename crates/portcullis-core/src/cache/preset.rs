//! Rules for common uses, by name.

use std::{fmt, str::FromStr, time::Duration};

use super::Config;
use crate::ConfigError;

/// Rules for a common use of a cache; a [`Config`] to start from.
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::cache::Preset;
/// use std::time::Duration;
///
/// assert_eq!(Preset::Micro.config().ttl, Duration::from_secs(1));
/// assert_eq!("reference_data".parse(), Ok(Preset::ReferenceData));
/// assert!("reference".parse::<Preset>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// What all ask for at once, and what must be nearly as new as can be: for one second, and another while it is
    /// fetched again.
    Micro,
    /// What changes by the day, such as a list of countries: for an hour, another while it is fetched again, and a day
    /// when that fails.
    ReferenceData,
    /// What must be answered, old as it may be: for a minute, five more while it is fetched again, and a day when that
    /// fails.
    CriticalService,
    /// The [defaults](Config::default).
    Production,
    /// For a developer's machine, where what was changed is to be seen: for one second.
    Development,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 5] =
        [Self::Micro, Self::ReferenceData, Self::CriticalService, Self::Production, Self::Development];

    /// The preset's word, as it stands in configurations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Micro => "micro",
            Self::ReferenceData => "reference_data",
            Self::CriticalService => "critical_service",
            Self::Production => "production",
            Self::Development => "development",
        }
    }

    /// The rules.
    pub fn config(self) -> Config {
        match self {
            Self::Micro => seconds(1, 1, 0),
            Self::ReferenceData => seconds(HOUR, HOUR, DAY),
            Self::CriticalService => seconds(60, 300, DAY),
            Self::Production => Config::default(),
            Self::Development => seconds(1, 0, 0),
        }
    }
}

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

fn seconds(ttl: u64, stale_while_revalidate: u64, stale_if_error: u64) -> Config {
    let [ttl, stale_while_revalidate, stale_if_error] =
        [ttl, stale_while_revalidate, stale_if_error].map(Duration::from_secs);
    Config { ttl, stale_while_revalidate, stale_if_error, ..Config::default() }
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
            ConfigError::new("cache.preset", word, allowed)
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
        let error = "micr".parse::<Preset>().unwrap_err();
        assert!(error.to_string().starts_with("cache.preset is \"micr\": allowed is micro, reference_data"));
    }
}
