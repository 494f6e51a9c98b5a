//! The settings of a bulkhead.

use std::time::Duration;

use portcullis_core::{
    ConfigError, Mode, Priority,
    bulkhead::{Codel, Config, Order, Preset},
};

use super::settings::{no_functions, reload_is_build, settings};

settings! {
    /// What a file says of a bulkhead; see [the list of fields](crate::config#fields-of-a-bulkhead).
    ///
    /// Knows which fields were given, so that the others can come from elsewhere: from a preset, from
    /// the program, or from the bulkhead as it is. Written, it has only what was given; made from a
    /// [`Config`], everything.
    ///
    /// ```
    /// use portcullis::{Bulkhead, Priority, bulkhead::Order, config};
    ///
    /// let settings: config::Bulkhead = toml::from_str(r#"
    ///     preset = "database"
    ///     max_in_flight = 40
    ///     order = "priority"
    ///     reserved = { high = 5 }
    /// "#)?;
    /// let reports = Bulkhead::builder("reports").config(settings.build()?).build()?;
    /// assert_eq!(reports.config().order, Order::Priority);
    /// assert_eq!(reports.config().reserved[Priority::High as usize], 5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Bulkhead at "bulkhead" of Config, Preset;
    no_functions {}
    max_in_flight: u32,
    max_queued: u32,
    max_wait: Duration,
    order: Order,
    // Tables come last: whoever writes TOML without braces cannot go back from them.
    mode: Mode,
    codel: Option<Codel>,
    reserved: [u32; Priority::COUNT],
}

reload_is_build!(Bulkhead, Config);

impl Bulkhead {
    /// The configuration: what was not given is as the preset has it, or by default. A file that is the whole
    /// truth is built like this again for [`reconfigure`](crate::Bulkhead::reconfigure), when it has changed.
    ///
    /// ```
    /// use portcullis::config;
    ///
    /// let settings: config::Bulkhead = toml::from_str("max_in_flight = 0")?;
    /// let error = settings.build().unwrap_err();
    /// assert_eq!(error.to_string(), "bulkhead.max_in_flight is 0: allowed is 1 to 1000000");
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
    /// use portcullis::{Bulkhead, config};
    ///
    /// let bulkhead = Bulkhead::builder("reports").max_in_flight(10).build()?;
    /// let settings: config::Bulkhead = toml::from_str("max_queued = 5")?;
    /// bulkhead.reconfigure(settings.over(&bulkhead.config())?)?;
    /// assert_eq!((bulkhead.config().max_in_flight, bulkhead.config().max_queued), (10, 5));
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
