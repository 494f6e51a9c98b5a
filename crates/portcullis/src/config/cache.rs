//! The settings of a cache.

use std::{collections::BTreeSet, time::Duration};

use portcullis_core::{
    ConfigError, FailureKind, Mode,
    cache::{Config, Preset},
};

use super::settings::{no_functions, reload_is_build, settings};

settings! {
    /// What a file says of a cache; see [the list of fields](crate::config#fields-of-a-cache).
    ///
    /// Knows which fields were given, so that the others can come from elsewhere: from a preset, from the program, or
    /// from the cache as it is. Written, it has only what was given; made from a [`Config`], everything. What weighs
    /// entries, and what says how long single ones are fresh, are no part of it: the program gives these to the
    /// builder.
    ///
    /// ```
    /// use portcullis::config;
    /// use std::time::Duration;
    ///
    /// let settings: config::Cache = toml::from_str(r#"
    ///     preset = "reference_data"
    ///     ttl = "10m"
    ///     max_weight = 1000000
    /// "#)?;
    /// let config = settings.build()?;
    /// assert_eq!((config.ttl, config.max_weight), (Duration::from_secs(600), Some(1_000_000)));
    /// assert_eq!(config.stale_if_error, Duration::from_secs(24 * 60 * 60));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Cache at "cache" of Config, Preset;
    no_functions {}
    ttl: Duration,
    jitter: f64,
    stale_while_revalidate: Duration,
    stale_if_error: Duration,
    stale_kinds: BTreeSet<FailureKind>,
    stale_on_refusal: bool,
    negative_ttl: Option<Duration>,
    max_entries: u64,
    max_weight: Option<u64>,
    refresh_timeout: Duration,
    max_refreshes: u32,
    // A table, maybe, which comes last: whoever writes TOML without braces cannot go back from one.
    mode: Mode,
}

reload_is_build!(Cache, Config);

impl Cache {
    /// The configuration: what was not given is as the preset has it, or by default.
    ///
    /// ```
    /// use portcullis::config;
    ///
    /// let settings: config::Cache = toml::from_str("max_entries = 0")?;
    /// let error = settings.build().unwrap_err();
    /// assert_eq!(error.to_string(), "cache.max_entries is 0: allowed is 1 to 100000000");
    /// # Ok::<(), toml::de::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn build(&self) -> Result<Config, ConfigError> {
        self.over(&Config::default())
    }

    /// The configuration: what was not given is as `base` has it. With a preset, nothing is left of `base`.
    ///
    /// For defaults that the program sets, and for a change of single fields of a cache that runs.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn over(&self, base: &Config) -> Result<Config, ConfigError> {
        let config = self.given_over(self.base(base));
        config.check().map(|()| config)
    }
}
