//! The settings of health checks.

use std::{collections::BTreeMap, time::Duration};

use portcullis_core::{
    ConfigError,
    health::{CheckConfig, CheckPreset},
};

use super::settings::{no_functions, settings};

settings! {
    /// What a file says of a check; see [the list of fields](crate::config#fields-of-a-health-check).
    ///
    /// Knows which fields were given, so that the others can come from elsewhere: from a preset, from
    /// the program, or from the check as it is. Written, it has only what was given; made from a
    /// [`CheckConfig`], everything.
    ///
    /// ```
    /// use portcullis::config;
    /// use std::time::Duration;
    ///
    /// let settings: config::HealthCheck = toml::from_str(r#"
    ///     preset = "essential"
    ///     timeout = "1s"
    /// "#)?;
    /// let config = settings.build()?;
    /// assert_eq!((config.critical, config.timeout), (true, Duration::from_secs(1)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    HealthCheck at "health_check" of CheckConfig, CheckPreset;
    no_functions {}
    critical: bool,
    timeout: Duration,
    interval: Option<Duration>,
    jitter: f64,
    cache: Duration,
    history: u32,
}

impl HealthCheck {
    /// The configuration: what was not given is as the preset has it, or by default. A file that is the whole
    /// truth is built like this again for [`reconfigure`](crate::HealthMonitor::reconfigure), when it has changed.
    ///
    /// ```
    /// use portcullis::config;
    ///
    /// let settings: config::HealthCheck = toml::from_str("cache = \"1s\"")?;
    /// let error = settings.build().unwrap_err();
    /// assert_eq!(error.to_string(), "health_check.cache is 1s: allowed is 5s to 300s");
    /// # Ok::<(), toml::de::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn build(&self) -> Result<CheckConfig, ConfigError> {
        self.over(&CheckConfig::default())
    }

    /// The configuration: what was not given is as `base` has it; with a preset, nothing is left of `base`.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn over(&self, base: &CheckConfig) -> Result<CheckConfig, ConfigError> {
        let config = self.given_over(self.base(base));
        config.check().map(|()| config)
    }
}

/// What a file says of the checks of a [`HealthMonitor`](crate::HealthMonitor): of all of them, and of each by its
/// name. What they ask, a file cannot say.
///
/// ```
/// use portcullis::{BoxError, HealthMonitor, Registry, config};
/// use std::time::Duration;
///
/// let settings: config::HealthMonitor = toml::from_str(r#"
///     defaults = { interval = "15s" }
///
///     [checks]
///     database = { critical = true, timeout = "2s" }
/// "#)?;
/// let monitor = HealthMonitor::new(&Registry::new());
/// for name in ["database", "search"] {
///     monitor.check(name).config(settings.check(name)?).spawn(|| async { Ok::<_, BoxError>(()) })?;
/// }
/// assert!(monitor.config("database").unwrap().critical);
/// assert_eq!(monitor.config("search").unwrap().interval, Some(Duration::from_secs(15)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HealthMonitor {
    /// Of all checks, as far as a check's own say nothing else.
    pub defaults: HealthCheck,
    /// Of single checks, by name.
    pub checks: BTreeMap<String, HealthCheck>,
}

impl HealthMonitor {
    /// The configuration of the check of this name; a preset of its own leaves nothing of the defaults.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn check(&self, name: &str) -> Result<CheckConfig, ConfigError> {
        let usual = self.defaults.build()?;
        self.checks.get(name).map_or(Ok(usual.clone()), |own| own.over(&usual))
    }
}
