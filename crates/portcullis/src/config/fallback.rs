//! The settings of a fallback.

use std::collections::BTreeSet;

use portcullis_core::{ConfigError, FailureKind, Mode, fallback::Config};

use super::settings::{reload_is_build, settings};

settings! {
    /// What a file says of a fallback, or a failover; see [the list of fields](crate::config#fields-of-a-fallback).
    ///
    /// Knows which fields were given, so that the others can come from elsewhere: from the program, or from the policy
    /// as it is. Written, it has only what was given; made from a [`Config`], everything.
    ///
    /// ```
    /// use portcullis::{Fallback, FailureKind, config};
    ///
    /// let settings: config::Fallback = toml::from_str("kinds = [\"timeout\", \"connection\"]")?;
    /// let fallback = Fallback::builder("prices").config(settings.build()?).build()?;
    /// assert!(fallback.config().covers_kind(FailureKind::Timeout));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Fallback at "fallback" of Config;
    {}
    kinds: BTreeSet<FailureKind>,
    refusals: bool,
    // A table comes last: whoever writes TOML without braces cannot go back from it.
    mode: Mode,
}

reload_is_build!(Fallback, Config);

impl Fallback {
    /// The configuration: what was not given is by default.
    ///
    /// ```
    /// use portcullis::config;
    ///
    /// let settings: config::Fallback = toml::from_str("kinds = \"off\"\nrefusals = false")?;
    /// let error = settings.build().unwrap_err();
    /// assert_eq!(error.to_string(), "fallback.kinds is {}: allowed is at least one, or refusals");
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
}
