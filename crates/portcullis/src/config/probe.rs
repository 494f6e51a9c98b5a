//! The settings of a probe.

use std::time::Duration;

use portcullis_core::ConfigError;

use super::settings::{reload_is_build, settings};
use crate::probe::Config;

settings! {
    /// What a file says of a probe; see [the list of fields](crate::config#fields-of-a-probe).
    ///
    /// Knows which fields were given, so that the others can come from elsewhere: from the program, or from the probe
    /// as it is. Written, it has only what was given; made from a [`Config`], everything.
    ///
    /// ```
    /// use portcullis::{Probe, config};
    /// use std::time::Duration;
    ///
    /// let settings: config::Probe = toml::from_str("interval = \"2s\"\ncritical = true")?;
    /// let probe = Probe::builder("database").config(settings.build()?).build()?;
    /// assert_eq!((probe.config().interval, probe.config().critical), (Duration::from_secs(2), true));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Probe at "probe" of Config;
    {}
    interval: Duration,
    interval_when_down: Duration,
    jitter: f64,
    timeout: Duration,
    down_after: u32,
    up_after: u32,
    critical: bool,
}

reload_is_build!(Probe, Config);

impl Probe {
    /// The configuration: what was not given is by default. A file that is the whole truth is built like this again
    /// for [`reconfigure`](crate::Probe::reconfigure), when it has changed.
    ///
    /// ```
    /// use portcullis::config;
    ///
    /// let settings: config::Probe = toml::from_str("down_after = 0")?;
    /// let error = settings.build().unwrap_err();
    /// assert_eq!(error.to_string(), "probe.down_after is 0: allowed is 1 to 1000");
    /// # Ok::<(), toml::de::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn build(&self) -> Result<Config, ConfigError> {
        self.over(&Config::default())
    }

    /// The configuration: what was not given is as `base` has it.
    ///
    /// For defaults that the program sets, and for a change of single fields of a probe that runs.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn over(&self, base: &Config) -> Result<Config, ConfigError> {
        let config = self.given_over(base.clone());
        config.check().map(|()| config)
    }
}
