//! The settings of reconnecting.

use std::time::Duration;

use portcullis_core::{ConfigError, retry::Curve};

use super::{Backoff, settings::settings};
use crate::reconnect::Config;

settings! {
    /// What a file says of reconnecting; see [the list of fields](crate::config#fields-of-reconnecting).
    ///
    /// Knows which fields were given, so that the others can come from elsewhere: from the program, or from the policy
    /// as it is. Written, it has only what was given; made from a [`Config`], everything but a backoff's function.
    ///
    /// ```
    /// use portcullis::{Reconnect, config};
    /// use std::time::Duration;
    ///
    /// let settings: config::Reconnect = toml::from_str("connect_timeout = \"2s\"\nbackoff = \"50ms\"")?;
    /// let reconnect = Reconnect::builder("inventory").config(settings.build()?).build()?;
    /// assert_eq!(reconnect.config().backoff.base, Duration::from_millis(50));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Reconnect at "reconnect" of Config;
    {}
    connect_timeout: Duration,
    wait: bool,
    stable_after: Duration,
    // A table comes last: whoever writes TOML without braces cannot go back from it.
    backoff: Backoff,
}

impl Reconnect {
    /// The configuration: what was not given is by default.
    ///
    /// ```
    /// use portcullis::config;
    ///
    /// let settings: config::Reconnect = toml::from_str("connect_timeout = \"0s\"")?;
    /// let error = settings.build().unwrap_err();
    /// assert_eq!(error.to_string(), "reconnect.connect_timeout is 0ns: allowed is 1ms to 3600s");
    /// # Ok::<(), toml::de::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn build(&self) -> Result<Config, ConfigError> {
        self.over(&Config::default())
    }

    /// The configuration: what was not given is as `base` has it. For defaults that the program sets, and for a change
    /// of single fields of a policy that runs.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn over(&self, base: &Config) -> Result<Config, ConfigError> {
        let config = self.given_over(base.clone());
        config.check().map(|()| config)
    }

    /// The configuration as [`build`](Self::build) has it, with the backoff's function that `current` has, which cannot
    /// stand in a file. For a policy that runs, when its file has changed.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn reload(&self, current: &Config) -> Result<Config, ConfigError> {
        let mut base = Config::default();
        if let Curve::Function(_) = current.backoff.curve {
            base.backoff = current.backoff.clone();
        }
        self.over(&base)
    }
}
