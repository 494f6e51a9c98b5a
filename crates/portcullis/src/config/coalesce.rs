//! The settings of coalescing.

use portcullis_core::{
    ConfigError, Mode,
    coalesce::{Config, OnFailure},
};

use super::settings::settings;

settings! {
    /// What a file says of coalescing; see [the list of fields](crate::config#fields-of-coalescing).
    ///
    /// Knows which fields were given, so that the others can come from elsewhere: from the program, or from the
    /// policy as it is. Written, it has only what was given; made from a [`Config`], everything.
    ///
    /// ```
    /// use portcullis::{Coalesce, coalesce::OnFailure, config};
    ///
    /// let settings: config::Coalesce = toml::from_str(r#"
    ///     max_body = 65536
    ///     on_failure = "promote"
    /// "#)?;
    /// let coalesce = Coalesce::builder("prices").config(settings.build()?).build()?;
    /// assert_eq!((coalesce.config().max_body, coalesce.config().on_failure), (65_536, OnFailure::Promote));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Coalesce at "coalesce" of Config;
    {}
    max_keys: u32,
    max_waiting: u32,
    max_body: u32,
    on_failure: OnFailure,
    // A table, maybe, which comes last: whoever writes TOML without braces cannot go back from one.
    mode: Mode,
}

impl Coalesce {
    /// The configuration: what was not given is by default. A file that is the whole truth is built like this again
    /// for [`reconfigure`](crate::Coalesce::reconfigure), when it has changed.
    ///
    /// ```
    /// use portcullis::config;
    ///
    /// let settings: config::Coalesce = toml::from_str("max_keys = 0")?;
    /// let error = settings.build().unwrap_err();
    /// assert_eq!(error.to_string(), "coalesce.max_keys is 0: allowed is 1 to 1000000");
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
    /// For defaults that the program sets, and for a change of single fields of a policy that runs.
    ///
    /// ```
    /// use portcullis::{Coalesce, config};
    ///
    /// let coalesce = Coalesce::builder("prices").max_keys(5).build()?;
    /// let settings: config::Coalesce = toml::from_str("max_waiting = 7")?;
    /// coalesce.reconfigure(settings.over(&coalesce.config())?)?;
    /// assert_eq!((coalesce.config().max_keys, coalesce.config().max_waiting), (5, 7));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn over(&self, base: &Config) -> Result<Config, ConfigError> {
        let config = self.given_over(base.clone());
        config.check().map(|()| config)
    }
}
