//! The settings of a throttle.

use std::{collections::BTreeSet, time::Duration};

use portcullis_core::{
    ConfigError, FailureKind, Mode,
    throttle::{Config, Preset},
};

use super::settings::{no_functions, reload_is_build, settings};

settings! {
    /// What a file says of a throttle, or of one per key; see
    /// [the list of fields](crate::config#fields-of-a-throttle).
    ///
    /// Knows which fields were given, so that the others can come from elsewhere: from a preset, from
    /// the program, or from the throttle as it is. Written, it has only what was given; made from a
    /// [`Config`], everything.
    ///
    /// ```
    /// use portcullis::{Throttle, config};
    ///
    /// let settings: config::Throttle = toml::from_str(r#"
    ///     k = 1.5
    ///     window = "30s"
    ///     refused_by = ["rate_limited", "unavailable"]
    /// "#)?;
    /// let throttle = Throttle::builder("search").config(settings.build()?).build()?;
    /// assert_eq!((throttle.config().k, throttle.config().max_share), (1.5, 0.9));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Throttle at "throttle" of Config, Preset;
    no_functions {}
    k: f64,
    window: Duration,
    max_share: f64,
    min_requests: u32,
    refused_by: BTreeSet<FailureKind>,
    // Tables come last: whoever writes TOML without braces cannot go back from them.
    mode: Mode,
}

reload_is_build!(Throttle, Config);

impl Throttle {
    /// The configuration: what was not given is as the preset has it, or by default. A file that is the whole
    /// truth is built like this again for [`reconfigure`](crate::Throttle::reconfigure), when it has changed.
    ///
    /// ```
    /// use portcullis::config;
    ///
    /// let settings: config::Throttle = toml::from_str("k = 0.5")?;
    /// let error = settings.build().unwrap_err();
    /// assert_eq!(error.to_string(), "throttle.k is 0.5: allowed is 1.1 to 100.0");
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
    /// For defaults that the program sets, and for a change of single fields of a throttle that runs.
    ///
    /// ```
    /// use portcullis::{Throttle, config};
    ///
    /// let throttle = Throttle::builder("search").k(3.0).build()?;
    /// let settings: config::Throttle = toml::from_str("max_share = 0.5")?;
    /// throttle.reconfigure(settings.over(&throttle.config())?)?;
    /// assert_eq!((throttle.config().k, throttle.config().max_share), (3.0, 0.5));
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
