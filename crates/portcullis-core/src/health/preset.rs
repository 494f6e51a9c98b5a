//! Settings by what is checked.

use std::{fmt, str::FromStr, time::Duration};

use super::CheckConfig;
use crate::ConfigError;

/// Settings of a check, by what it looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CheckPreset {
    /// What the service cannot work without, such as its database: critical, asked every 10 s, 2 s to answer.
    Essential,
    /// Another service, without which part of this one works: asked every 30 s, 5 s to answer.
    Downstream,
    /// Something of the machine, such as its disk or memory: asked every 15 s, 1 s to answer.
    Resource,
    /// What is dear to ask, such as a paid interface: only where somebody asks, every 5 min at most.
    OnDemand,
}

impl CheckPreset {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Essential, Self::Downstream, Self::Resource, Self::OnDemand];

    /// The preset's word, as it stands in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Essential => "essential",
            Self::Downstream => "downstream",
            Self::Resource => "resource",
            Self::OnDemand => "on_demand",
        }
    }

    /// The settings.
    pub fn config(self) -> CheckConfig {
        let usual = CheckConfig::default();
        let every = |secs| Some(Duration::from_secs(secs));
        match self {
            Self::Essential => {
                CheckConfig { critical: true, timeout: Duration::from_secs(2), interval: every(10), ..usual }
            }
            Self::Downstream => CheckConfig { interval: every(30), ..usual },
            Self::Resource => CheckConfig { timeout: Duration::from_secs(1), interval: every(15), ..usual },
            Self::OnDemand => CheckConfig { interval: None, cache: Duration::from_secs(5 * 60), ..usual },
        }
    }
}

impl fmt::Display for CheckPreset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CheckPreset {
    type Err = ConfigError;

    fn from_str(word: &str) -> Result<Self, ConfigError> {
        let known = Self::ALL.into_iter().find(|preset| preset.as_str() == word);
        let allowed = || Self::ALL.map(Self::as_str).join(", ");
        known.ok_or_else(|| ConfigError::new("health_check.preset", word, allowed()))
    }
}
