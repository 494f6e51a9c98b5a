//! Rules for common uses, by name.

use std::{fmt, str::FromStr, time::Duration};

use super::Config;
use crate::ConfigError;

/// Rules for a common use of a bulkhead by key; a [`Config`] to start from. The number of permits is the least
/// certain of them: it is what all that is behind can do at a time.
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::bulkhead::keyed::Preset;
///
/// assert_eq!(Preset::Hosts.config().per_key, Some(50));
/// assert_eq!("tenants".parse(), Ok(Preset::Tenants));
/// assert!("clients".parse::<Preset>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// A server that many share, where one may use what others do not: 200 permits, 200 wait for up to 500 ms, and
    /// nobody has a limit of his own.
    Tenants,
    /// A client of many hosts, one of which may be slow: 500 permits, 50 for each host, nobody waits.
    Hosts,
    /// The [defaults](Config::default).
    Production,
    /// For a developer's machine, where little runs at a time and refusals are in the way: 10 permits, 1000 wait for
    /// up to 30 s.
    Development,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 4] = [Self::Tenants, Self::Hosts, Self::Production, Self::Development];

    /// The preset's word, as it stands in configurations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenants => "tenants",
            Self::Hosts => "hosts",
            Self::Production => "production",
            Self::Development => "development",
        }
    }

    /// The rules.
    pub fn config(self) -> Config {
        match self {
            Self::Tenants => queued(200, 200, 500),
            Self::Hosts => Config { overall: 500, per_key: Some(50), ..Config::default() },
            Self::Production => Config::default(),
            Self::Development => queued(10, 1_000, 30_000),
        }
    }
}

/// So many permits, and so many calls that wait for so many milliseconds.
fn queued(overall: u32, max_queued: u32, millis: u64) -> Config {
    Config { overall, max_queued, max_wait: Duration::from_millis(millis), ..Config::default() }
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
        found.ok_or_else(|| ConfigError::new("bulkhead.preset", word, Self::ALL.map(Self::as_str).join(", ")))
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
        let error = "host".parse::<Preset>().unwrap_err();
        assert!(error.to_string().starts_with("bulkhead.preset is \"host\": allowed is tenants, hosts"));
    }
}
