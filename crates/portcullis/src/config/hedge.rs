//! The settings of a hedge.

use std::{collections::BTreeSet, time::Duration};

use portcullis_core::{
    ConfigError, FailureKind, Mode,
    hedge::{Config, Delay, Preset},
};

use super::{Budget, settings::settings};

settings! {
    /// What a file says of a hedge; see [the list of fields](crate::config#fields-of-a-hedge).
    ///
    /// Knows which fields were given, so that the others can come from elsewhere: from a preset, from
    /// the program, or from the hedge as it is. Written, it has only what was given; made from a
    /// [`Config`], everything but a delay's function.
    ///
    /// ```
    /// use portcullis::{config, hedge::Config};
    ///
    /// let settings = config::Hedge::from(&Config::default());
    /// let text = toml::to_string(&settings)?;
    /// assert!(text.contains("quantile = 0.95\n"));
    /// assert_eq!(toml::from_str::<config::Hedge>(&text)?.build()?, Config::default());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Hedge at "hedge" of Config, Preset;
    with_functions_of {}
    max_attempts: u32,
    max_retry_after: Duration,
    fatal: BTreeSet<FailureKind>,
    // Tables come last: whoever writes TOML without braces cannot go back from them.
    mode: Mode,
    delay: Delay,
    budget: Budget,
}

impl Hedge {
    /// The configuration: what was not given is as the preset has it, or by default.
    ///
    /// ```
    /// use portcullis::config;
    ///
    /// let settings: config::Hedge = toml::from_str("max_attempts = 1")?;
    /// let error = settings.build().unwrap_err();
    /// assert_eq!(error.to_string(), "hedge.max_attempts is 1: allowed is 2 to 5");
    /// # Ok::<(), toml::de::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn build(&self) -> Result<Config, ConfigError> {
        self.over(&Config::default())
    }

    /// The configuration: what was not given is as `base` has it. With a preset, nothing is left of `base`
    /// but a delay's function. That stays until another delay is given.
    ///
    /// For defaults that the program sets, and for a change of single fields of a hedge that runs. A file
    /// that is the whole truth is for [`reload`](Self::reload).
    ///
    /// ```
    /// use portcullis::{config, hedge::{Config, Delay}};
    /// use std::time::Duration;
    ///
    /// let base = Config { max_attempts: 3, ..Config::default() };
    /// let settings: config::Hedge = toml::from_str("delay = \"20ms\"")?;
    /// let delay = Delay::Fixed(Duration::from_millis(20));
    /// assert_eq!(settings.over(&base)?, Config { delay, ..base });
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

    /// The configuration as [`build`](Self::build) has it, with the delay's function that `current` has,
    /// which cannot stand in a file. For a hedge that runs, when its file has changed.
    ///
    /// ```
    /// use portcullis::{Hedge, config};
    ///
    /// let hedge = Hedge::builder("replicas").max_attempts(3).build()?;
    ///
    /// let settings: config::Hedge = toml::from_str("delay = { quantile = 0.9 }")?;
    /// hedge.reconfigure(settings.reload(&hedge.config())?)?;
    /// assert_eq!(hedge.config().max_attempts, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn reload(&self, current: &Config) -> Result<Config, ConfigError> {
        self.over(&with_functions_of(current, Config::default()))
    }

    /// What it says of the budget, if it does: [whether it is shared](Budget::in_registry), too, which a
    /// [`Config`] cannot say.
    pub fn budget(&self) -> Option<&Budget> {
        self.budget.as_ref()
    }
}

fn with_functions_of(config: &Config, mut rules: Config) -> Config {
    if let Delay::Function(_) = config.delay {
        rules.delay = config.delay.clone();
    }
    rules
}
