//! The settings of the ejection of outliers.

use std::{
    collections::BTreeSet,
    fmt::{self, Formatter},
    time::Duration,
};

use portcullis_core::{
    ConfigError, FailureKind, Mode,
    outlier::{Config, FailureShare, Preset, SlowStart, SuccessRate},
};
use serde::{Serializer, de::MapAccess};

use super::{
    fields::{read_fields, write_fields},
    form::Form,
    place::Place,
    settings::{no_functions, reload_is_build, settings},
};

settings! {
    /// What a file says of the ejection of outliers; see
    /// [the list of fields](crate::config#fields-of-the-ejection-of-outliers).
    ///
    /// Knows which fields were given, so that the others can come from elsewhere: from a preset, from
    /// the program, or from the policy as it is. Written, it has only what was given; made from a
    /// [`Config`], everything.
    ///
    /// ```
    /// use portcullis::{Outliers, config};
    ///
    /// let settings: config::Outlier = toml::from_str(r#"
    ///     preset = "small_fleet"
    ///     consecutive = 4
    ///     slow_start = { window = "1m" }
    /// "#)?;
    /// let outliers = Outliers::builder("inventory").config(settings.build()?).build()?;
    /// assert_eq!((outliers.config().consecutive, outliers.config().max_ejected_share), (Some(4), 0.5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Outlier at "outlier" of Config, Preset;
    no_functions {}
    interval: Duration,
    base_ejection: Duration,
    max_ejection: Duration,
    ejection_jitter: Duration,
    max_ejected_share: f64,
    consecutive: Option<u32>,
    split_local: bool,
    consecutive_local: Option<u32>,
    panic_threshold: f64,
    ignored: BTreeSet<FailureKind>,
    // Tables come last: whoever writes TOML without braces cannot go back from them.
    mode: Mode,
    success_rate: Option<SuccessRate>,
    failure_share: Option<FailureShare>,
    slow_start: Option<SlowStart>,
}

reload_is_build!(Outlier, Config);

impl Outlier {
    /// The configuration: what was not given is as the preset has it, or by default. A file that is the whole
    /// truth is built like this again for [`reconfigure`](crate::Outliers::reconfigure), when it has changed.
    ///
    /// ```
    /// use portcullis::config;
    ///
    /// let settings: config::Outlier = toml::from_str("max_ejected_share = 2.0")?;
    /// let error = settings.build().unwrap_err();
    /// assert_eq!(error.to_string(), "outlier.max_ejected_share is 2.0: allowed is 0.0 to 1.0");
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
    /// For defaults that the program sets, and for a change of single fields of a policy that runs.
    ///
    /// ```
    /// use portcullis::{Outliers, config};
    ///
    /// let outliers = Outliers::builder("inventory").consecutive(3).build()?;
    /// let settings: config::Outlier = toml::from_str("interval = \"5s\"")?;
    /// outliers.reconfigure(settings.over(&outliers.config())?)?;
    /// assert_eq!(outliers.config().consecutive, Some(3));
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

impl Form for SuccessRate {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a table, such as { deviations = 1.9, min_requests = 100 }")
    }

    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, mut map: A) -> Result<Self, A::Error> {
        read_fields!(map, place, { deviations, min_difference, min_requests, min_endpoints });
        let usual = Self::default();
        Ok(Self {
            deviations: deviations.unwrap_or(usual.deviations),
            min_difference: min_difference.unwrap_or(usual.min_difference),
            min_requests: min_requests.unwrap_or(usual.min_requests),
            min_endpoints: min_endpoints.unwrap_or(usual.min_endpoints),
        })
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let [deviations, min_difference] = &[self.deviations, self.min_difference].map(Some);
        let [min_requests, min_endpoints] = &[self.min_requests, self.min_endpoints].map(Some);
        write_fields!(to, "SuccessRate", { deviations, min_difference, min_requests, min_endpoints })
    }
}

impl Form for FailureShare {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a table, such as { threshold = 0.85, min_requests = 50 }")
    }

    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, mut map: A) -> Result<Self, A::Error> {
        read_fields!(map, place, { threshold, min_requests, min_endpoints });
        let usual = Self::default();
        Ok(Self {
            threshold: threshold.unwrap_or(usual.threshold),
            min_requests: min_requests.unwrap_or(usual.min_requests),
            min_endpoints: min_endpoints.unwrap_or(usual.min_endpoints),
        })
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let threshold = &Some(self.threshold);
        let [min_requests, min_endpoints] = &[self.min_requests, self.min_endpoints].map(Some);
        write_fields!(to, "FailureShare", { threshold, min_requests, min_endpoints })
    }
}

impl Form for SlowStart {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a table, such as { window = \"30s\", min_weight = 0.1 }")
    }

    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, mut map: A) -> Result<Self, A::Error> {
        read_fields!(map, place, { window, min_weight, aggression });
        let usual = Self::default();
        Ok(Self {
            window: window.unwrap_or(usual.window),
            min_weight: min_weight.unwrap_or(usual.min_weight),
            aggression: aggression.unwrap_or(usual.aggression),
        })
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let window = &Some(self.window);
        let [min_weight, aggression] = &[self.min_weight, self.aggression].map(Some);
        write_fields!(to, "SlowStart", { window, min_weight, aggression })
    }
}
