//! The settings of a retry policy.

use std::{collections::BTreeSet, time::Duration};

use portcullis_core::{ConfigError, FailureKind, GrpcCodes, Mode, retry::Curve};

use super::{Backoff, Budget, settings::settings};
use crate::retry::{Config, Preset};

settings! {
    /// What a file says of a retry policy; see [the list of fields](crate::config#fields-of-a-retry).
    ///
    /// Knows which fields were given, so that the others can come from elsewhere: from a preset, from
    /// the program, or from the policy as it is. Written, it has only what was given; made from a
    /// [`Config`], everything but a backoff's function.
    ///
    /// ```
    /// use portcullis::{config, retry::Config};
    ///
    /// let settings = config::Retry::from(&Config::default());
    /// let text = toml::to_string(&settings)?;
    /// assert!(text.contains("max_retry_after = \"30s\"\n"));
    /// assert!(text.contains("total_time = \"off\"\n"));
    /// assert_eq!(toml::from_str::<config::Retry>(&text)?.build()?, Config::default());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Retry at "retry" of Config, Preset;
    with_functions_of {}
    max_attempts: u32,
    total_time: Option<Duration>,
    max_retry_after: Duration,
    not_retried: BTreeSet<FailureKind>,
    grpc_codes: Option<GrpcCodes>,
    retry_refusals: bool,
    // Tables come last: whoever writes TOML without braces cannot go back from them.
    mode: Mode,
    backoff: Backoff,
    budget: Budget,
}

impl Retry {
    /// The configuration: what was not given is as the preset has it, or by default. A budget that is shared
    /// is no part of it; see [`budget`](Self::budget).
    ///
    /// ```
    /// use portcullis::config;
    ///
    /// let settings: config::Retry = toml::from_str("max_attempts = 0")?;
    /// let error = settings.build().unwrap_err();
    /// assert_eq!(error.to_string(), "retry.max_attempts is 0: allowed is 1 to 100");
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
    /// but a backoff's function. That stays as long as no other curve is given.
    ///
    /// For defaults that the program sets, and for a change of single fields of a policy that runs. A file
    /// that is the whole truth is for [`reload`](Self::reload): with `over`, a line that was taken out of
    /// it changes nothing.
    ///
    /// ```
    /// use portcullis::{config, retry::Config};
    /// use std::time::Duration;
    ///
    /// let base = Config { total_time: Some(Duration::from_secs(5)), ..Config::default() };
    /// let settings: config::Retry = toml::from_str("max_attempts = 2")?;
    /// assert_eq!(settings.over(&base)?, Config { max_attempts: 2, ..base });
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

    /// The configuration as [`build`](Self::build) has it, with the backoff's function that `current` has,
    /// which cannot stand in a file. For a policy that runs, when its file has changed: settings that are as
    /// they were are told as new too, so who reads the file again and again compares with `current` first. A
    /// budget that is shared is to be [reconfigured](crate::RetryBudget::reconfigure) by itself.
    ///
    /// ```
    /// use portcullis::{RetryPolicy, config};
    ///
    /// let policy = RetryPolicy::builder("ledger").max_attempts(5).build()?;
    ///
    /// let settings: config::Retry = toml::from_str("total_time = \"2s\"")?;
    /// policy.reconfigure(settings.reload(&policy.config())?)?;
    /// assert_eq!(policy.config().max_attempts, 3);
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
    ///
    /// ```
    /// use portcullis::{Registry, RetryPolicy, config};
    ///
    /// let text = "budget = { shared = \"upstream\", ratio = 0.1 }";
    /// let settings: config::Retry = toml::from_str(text)?;
    /// let mut policy = RetryPolicy::builder("orders").config(settings.build()?);
    /// let shared = settings.budget().map(|budget| budget.in_registry(Registry::global()));
    /// if let Some(budget) = shared.transpose()?.flatten() {
    ///     policy = policy.budget(&budget);
    /// }
    /// assert_eq!(&**policy.build()?.budget().name(), "upstream");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn budget(&self) -> Option<&Budget> {
        self.budget.as_ref()
    }
}

fn with_functions_of(config: &Config, mut rules: Config) -> Config {
    if let Curve::Function(_) = config.backoff.curve {
        rules.backoff.curve = config.backoff.curve.clone();
    }
    rules
}
