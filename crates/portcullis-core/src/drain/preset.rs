//! Rules for common places, by name.

use std::{fmt, str::FromStr, time::Duration};

use super::Config;
use crate::ConfigError;

/// Rules for a common place; a [`Config`] to start from.
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::drain::{Config, Preset};
///
/// let Config { announce, grace, .. } = Preset::Kubernetes.config();
/// assert!((announce + grace).as_secs() < 30);
/// assert_eq!("kubernetes".parse(), Ok(Preset::Kubernetes));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// In a pod with the usual 30 s until it is killed: 5 s announced, 20 s of grace.
    Kubernetes,
    /// Streams and long work: 5 s announced, 10 min of grace.
    LongWork,
    /// Behind clients that find out by being refused, such as gRPC clients that balance: nothing announced, 20 s.
    LocalIpc,
    /// The [defaults](Config::default).
    Production,
    /// For a developer's machine, where nobody asks for readiness: nothing announced, 2 s of grace.
    Development,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 5] =
        [Self::Kubernetes, Self::LongWork, Self::LocalIpc, Self::Production, Self::Development];

    /// The preset's word, as it stands in configurations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::LongWork => "long_work",
            Self::LocalIpc => "local_ipc",
            Self::Production => "production",
            Self::Development => "development",
        }
    }

    /// The rules.
    pub fn config(self) -> Config {
        match self {
            Self::Kubernetes => seconds(5, 20),
            Self::LongWork => seconds(5, 600),
            Self::LocalIpc => seconds(0, 20),
            Self::Production => Config::default(),
            Self::Development => seconds(0, 2),
        }
    }
}

fn seconds(announce: u64, grace: u64) -> Config {
    let [announce, grace] = [announce, grace].map(Duration::from_secs);
    Config { announce, grace, ..Config::default() }
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
            ConfigError::new("drain.preset", word, allowed)
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
        assert!("pod".parse::<Preset>().is_err());
    }
}
