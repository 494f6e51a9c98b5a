//! The settings of an observer.

use portcullis_core::{ConfigError, observe::Config};

use super::settings::{reload_is_build, settings};

settings! {
    /// What a file says of an observer; see [the list of fields](crate::config#fields-of-an-observer).
    ///
    /// Knows which fields were given, so that the others can come from elsewhere: from the program, or from the
    /// observer as it is. Written, it has only what was given; made from a [`Config`], everything.
    ///
    /// ```
    /// use portcullis::config;
    ///
    /// let settings: config::Observer = toml::from_str("durations = true")?;
    /// let observer = portcullis::Observer::builder("inventory").config(settings.build()?).build()?;
    /// assert!(observer.config().durations);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Observer at "observer" of Config;
    {}
    enabled: bool,
    durations: bool,
}

reload_is_build!(Observer, Config);

impl Observer {
    /// The configuration: what was not given is by default. A file that is the whole truth is built like this again
    /// for [`reconfigure`](crate::Observer::reconfigure), when it has changed.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn build(&self) -> Result<Config, ConfigError> {
        self.over(&Config::default())
    }

    /// The configuration: what was not given is as `base` has it.
    ///
    /// For defaults that the program sets, and for a change of single fields of an observer.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn over(&self, base: &Config) -> Result<Config, ConfigError> {
        let config = self.given_over(*base);
        config.check().map(|()| config)
    }
}
