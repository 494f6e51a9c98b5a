//! The settings of a drain.

use std::time::Duration;

use portcullis_core::{
    ConfigError,
    drain::{Config, Preset},
};

use super::settings::{no_functions, reload_is_build, settings};

settings! {
    /// What a file says of a drain; see [the list of fields](crate::config#fields-of-a-drain).
    ///
    /// Knows which fields were given, so that the others can come from elsewhere: from a preset, from
    /// the program, or from the drain as it is. Written, it has only what was given; made from a
    /// [`Config`], everything.
    ///
    /// ```
    /// use portcullis::{Drain, config};
    ///
    /// let settings: config::Drain = toml::from_str("preset = \"kubernetes\"\nannounce = \"8s\"")?;
    /// let drain = Drain::builder("shop").config(settings.build()?).build()?;
    /// assert_eq!((drain.config().announce.as_secs(), drain.config().grace.as_secs()), (8, 20));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Drain at "drain" of Config, Preset;
    no_functions {}
    announce: Duration,
    grace: Duration,
    retry_after: Duration,
}

reload_is_build!(Drain, Config);

impl Drain {
    /// The configuration: what was not given is as the preset has it, or by default. A file that is the whole
    /// truth is built like this again for [`reconfigure`](crate::Drain::reconfigure), when it has changed.
    ///
    /// ```
    /// use portcullis::config;
    ///
    /// let settings: config::Drain = toml::from_str("announce = \"2h\"")?;
    /// let error = settings.build().unwrap_err();
    /// assert_eq!(error.to_string(), "drain.announce is 7200s: allowed is 0ns to 3600s");
    /// # Ok::<(), toml::de::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn build(&self) -> Result<Config, ConfigError> {
        self.over(&Config::default())
    }

    /// The configuration: what was not given is as `base` has it; with a preset, nothing is left of `base`.
    ///
    /// For defaults that the program sets, and for a change of single fields of a drain.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn over(&self, base: &Config) -> Result<Config, ConfigError> {
        let config = self.given_over(self.base(base));
        config.check().map(|()| config)
    }
}
