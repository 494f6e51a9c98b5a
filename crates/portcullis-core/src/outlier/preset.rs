//! Rules for common uses, by name.

use std::{fmt, str::FromStr, time::Duration};

use super::{Config, FailureShare, SuccessRate};
use crate::ConfigError;

/// Rules for a common use of outlier ejection; a [`Config`] to start from.
///
/// ```
/// use portcullis_core::outlier::Preset;
///
/// assert_eq!(Preset::SmallFleet.config().max_ejected_share, 0.5);
/// assert_eq!("grpc".parse(), Ok(Preset::Grpc));
/// assert!("a50".parse::<Preset>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Preset {
    /// The [defaults](Config::default).
    Production,
    /// As Envoy has it: no failure share, and success rates are compared by deviations alone.
    Envoy,
    /// As gRFC A50 has it: no failures in a row, and success rates are compared by deviations alone.
    Grpc,
    /// For two to ten endpoints: three failures in a row, for 10 s, up to half of them.
    SmallFleet,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 4] = [Self::Production, Self::Envoy, Self::Grpc, Self::SmallFleet];

    /// The preset's word, as it stands in configurations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Envoy => "envoy",
            Self::Grpc => "grpc",
            Self::SmallFleet => "small_fleet",
        }
    }

    /// The rules.
    pub fn config(self) -> Config {
        let usual = Config::default();
        let by_deviations = SuccessRate { min_difference: 0.0, ..SuccessRate::default() };
        match self {
            Self::Production => usual,
            Self::Envoy => Config { success_rate: Some(by_deviations), failure_share: None, ..usual },
            Self::Grpc => Config { success_rate: Some(by_deviations), consecutive: None, ..usual },
            Self::SmallFleet => Config {
                base_ejection: Duration::from_secs(10),
                max_ejected_share: 0.5,
                consecutive: Some(3),
                consecutive_local: Some(3),
                success_rate: None,
                failure_share: Some(FailureShare {
                    min_requests: 20,
                    min_endpoints: 2,
                    ..FailureShare::default()
                }),
                ..usual
            },
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
        found.ok_or_else(|| ConfigError::new("outlier.preset", word, Self::ALL.map(Self::as_str).join(", ")))
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
        assert!("x".parse::<Preset>().unwrap_err().to_string().starts_with("outlier.preset is \"x\""));
    }
}
