//! The settings of a breaker.

use std::{collections::BTreeMap, time::Duration};

use portcullis_core::{
    ConfigError, FailureKind, Mode,
    breaker::{Config, Preset, SlowRule, TimeRule},
};

use super::settings::settings;

settings! {
    /// What a file says of a breaker; see [the list of fields](crate::config#fields-of-a-breaker).
    ///
    /// Knows which fields were given, so that the others can come from elsewhere: from a preset, from
    /// the program, or from the breaker as it is. Written, it has only what was given; made from a
    /// [`Config`], everything but its functions.
    ///
    /// ```
    /// use portcullis::{breaker::Config, config};
    ///
    /// let settings = config::Breaker::from(&Config { ramp: None, ..Config::default() });
    /// let text = toml::to_string(&settings)?;
    /// assert!(text.contains("open_cap = \"5m\"\n"));
    /// assert!(text.contains("ramp = \"off\"\n"));
    /// assert_eq!(toml::from_str::<config::Breaker>(&text)?.build()?, Config::default());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Breaker at "breaker" of Config, Preset;
    with_functions_of { rule, open_time }
    consecutive_failures: Option<u32>,
    failure_ratio: Option<f64>,
    window: u32,
    minimum_calls: u32,
    open_for: Duration,
    open_factor: f64,
    open_cap: Duration,
    open_jitter: f64,
    open_reset_after: Duration,
    permits: u32,
    successes: u32,
    probe_ratio: Option<f64>,
    probe_chance: f64,
    lease: Duration,
    max_half_open: Option<Duration>,
    ramp: Option<Duration>,
    hung_after: Option<Duration>,
    only_retries: bool,
    automatic: bool,
    // Tables come last: whoever writes TOML without braces cannot go back from them.
    mode: Mode,
    time_window: Option<TimeRule>,
    slow_calls: Option<SlowRule>,
    kind_limits: BTreeMap<FailureKind, u32>,
}

impl Breaker {
    /// The configuration: what was not given is as the preset has it, or by default.
    ///
    /// ```
    /// use portcullis::config;
    ///
    /// let settings: config::Breaker = toml::from_str("failure_ratio = 50")?;
    /// let error = settings.build().unwrap_err();
    /// assert_eq!(error.to_string(), "breaker.failure_ratio is 50.0: allowed is 0.0001 to 1.0");
    /// # Ok::<(), toml::de::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn build(&self) -> Result<Config, ConfigError> {
        self.over(&Config::default())
    }

    /// The configuration: what was not given is as `base` has it, and its functions stay. With a preset,
    /// nothing but the functions is left of `base`.
    ///
    /// For defaults that the program sets, and for a change of single fields of a breaker that runs. A file
    /// that is the whole truth is for [`reload`](Self::reload): with `over`, a line that was taken out of
    /// it changes nothing.
    ///
    /// ```
    /// use portcullis::{breaker::Config, config};
    ///
    /// let base = Config { window: 500, permits: 1, ..Config::default() };
    /// let settings: config::Breaker = toml::from_str("permits = 2")?;
    /// assert_eq!(settings.over(&base)?, Config { permits: 2, ..base });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn over(&self, base: &Config) -> Result<Config, ConfigError> {
        let mut base = self.base(base);
        // As the builder does: a smaller window is no error of who wrote nothing of a minimum.
        if let Some(window) = self.window {
            base.minimum_calls = base.minimum_calls.min(window.max(1));
        }
        let config = self.given_over(base);
        config.check()?;
        Ok(config)
    }

    /// The configuration as [`build`](Self::build) has it, with the functions that `current` has, which
    /// cannot stand in a file. For a breaker that runs, when its file has changed: settings that are as they
    /// were are told as new too, so who reads the file again and again compares with `current` first.
    ///
    /// ```
    /// use portcullis::{Breaker, config};
    ///
    /// let breaker = Breaker::builder("ledger").rule(|seen| seen.calls.failures > 3).window(500).build()?;
    ///
    /// let settings: config::Breaker = toml::from_str("permits = 1")?;
    /// breaker.reconfigure(settings.reload(&breaker.config())?)?;
    ///
    /// let config = breaker.config();
    /// assert!(config.rule.is_some());
    /// assert_eq!((config.permits, config.window), (1, 100));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn reload(&self, current: &Config) -> Result<Config, ConfigError> {
        self.over(&with_functions_of(current, Config::default()))
    }
}

fn with_functions_of(config: &Config, rules: Config) -> Config {
    Config { rule: config.rule.clone(), open_time: config.open_time.clone(), ..rules }
}
