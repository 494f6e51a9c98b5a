//! The settings of a rate limit.

use std::time::Duration;

use portcullis_core::{
    ConfigError, Mode,
    rate::{Algorithm, Config, Preset, Warmup},
};

use super::settings::{no_functions, reload_is_build, settings};

settings! {
    /// What a file says of a rate limit, or of one per key; see
    /// [the list of fields](crate::config#fields-of-a-rate-limit).
    ///
    /// Knows which fields were given, so that the others can come from elsewhere: from a preset, from
    /// the program, or from the limit as it is. Written, it has only what was given; made from a
    /// [`Config`], everything.
    ///
    /// ```
    /// use portcullis::{RateLimit, config, rate::KeyedRateLimit};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Settings {
    ///     partner: config::RateLimit,
    ///     tenants: config::RateLimit,
    /// }
    ///
    /// let settings: Settings = toml::from_str(r#"
    ///     partner = { permits = 10, burst = 2, max_queued = 50, max_wait = "2s" }
    ///     tenants = { permits = 6000, period = "1m", algorithm = "sliding_window" }
    /// "#)?;
    /// let partner = RateLimit::builder("partner").config(settings.partner.build()?).build()?;
    /// let tenants = KeyedRateLimit::builder("tenants").config(settings.tenants.build()?).build()?;
    /// assert_eq!((partner.config().burst(), tenants.config().burst()), (2, 6000));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    RateLimit at "rate" of Config, Preset;
    no_functions {}
    permits: u32,
    period: Duration,
    burst: Option<u32>,
    algorithm: Algorithm,
    max_queued: u32,
    max_wait: Duration,
    // Tables come last: whoever writes TOML without braces cannot go back from them.
    mode: Mode,
    warmup: Option<Warmup>,
}

reload_is_build!(RateLimit, Config);

impl RateLimit {
    /// The configuration: what was not given is as the preset has it, or by default. A file that is the whole
    /// truth is built like this again for [`reconfigure`](crate::RateLimit::reconfigure), when it has changed.
    ///
    /// ```
    /// use portcullis::config;
    ///
    /// let settings: config::RateLimit = toml::from_str("permits = 0")?;
    /// let error = settings.build().unwrap_err();
    /// assert_eq!(error.to_string(), "rate.permits is 0: allowed is 1 to 1000000");
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
    /// For defaults that the program sets, and for a change of single fields of a limit that runs.
    ///
    /// ```
    /// use portcullis::{RateLimit, config};
    /// use std::time::Duration;
    ///
    /// let limit = RateLimit::builder("partner").rate(10, Duration::from_secs(60)).build()?;
    /// let settings: config::RateLimit = toml::from_str("permits = 20")?;
    /// limit.reconfigure(settings.over(&limit.config())?)?;
    /// assert_eq!((limit.config().permits, limit.config().period.as_secs()), (20, 60));
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
