//! The settings of a keyed bulkhead.

use std::time::Duration;

use portcullis_core::{
    ConfigError, Mode,
    bulkhead::keyed::{Config, Preset},
};

use super::settings::{no_functions, reload_is_build, settings};

settings! {
    /// What a file says of a keyed bulkhead; see [the list of fields](crate::config#fields-of-a-keyed-bulkhead).
    ///
    /// Knows which fields were given, so that the others can come from elsewhere: from a preset, from
    /// the program, or from the bulkhead as it is. Written, it has only what was given; made from a
    /// [`Config`], everything.
    ///
    /// ```
    /// use portcullis::{KeyedBulkhead, config};
    ///
    /// let settings: config::KeyedBulkhead = toml::from_str(r#"
    ///     preset = "tenants"
    ///     overall = 100
    ///     per_key = 40
    /// "#)?;
    /// let tenants = KeyedBulkhead::builder("tenants").config(settings.build()?).build()?;
    /// assert_eq!((tenants.config().per_key, tenants.config().max_queued), (Some(40), 200));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    KeyedBulkhead at "bulkhead" of Config, Preset;
    no_functions {}
    overall: u32,
    per_key: Option<u32>,
    max_queued: u32,
    max_wait: Duration,
    // Tables come last: whoever writes TOML without braces cannot go back from them.
    mode: Mode,
}

reload_is_build!(KeyedBulkhead, Config);

impl KeyedBulkhead {
    /// The configuration: what was not given is as the preset has it, or by default. A file that is the whole
    /// truth is built like this again for [`reconfigure`](crate::KeyedBulkhead::reconfigure), when it has changed.
    ///
    /// ```
    /// use portcullis::config;
    ///
    /// let settings: config::KeyedBulkhead = toml::from_str("per_key = 101")?;
    /// let error = settings.build().unwrap_err();
    /// assert_eq!(error.to_string(), "bulkhead.per_key is 101: allowed is 1 to 100");
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
    /// For defaults that the program sets, and for a change of single fields of a bulkhead that runs.
    ///
    /// ```
    /// use portcullis::{KeyedBulkhead, config};
    ///
    /// let hosts = KeyedBulkhead::builder("hosts").overall(10).build()?;
    /// let settings: config::KeyedBulkhead = toml::from_str("per_key = 5")?;
    /// hosts.reconfigure(settings.over(&hosts.config())?)?;
    /// assert_eq!((hosts.config().overall, hosts.config().per_key), (10, Some(5)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn over(&self, base: &Config) -> Result<Config, ConfigError> {
        let config = self.given_over(self.base(base));
        config.check().map(|()| config)
    }
}
