//! The settings of a timeout.

use std::{
    fmt::{self, Formatter},
    time::Duration,
};

use portcullis_core::{
    ConfigError, Mode, TimeoutScope,
    timeout::{Adaptive, Config, Preset},
};
use serde::{
    Serializer,
    de::{MapAccess, Unexpected},
};

use super::{
    fields::{read_fields, write_fields},
    form::{Form, one_of},
    place::Place,
    settings::{no_functions, settings},
};

settings! {
    /// What a file says of a timeout; see [the list of fields](crate::config#fields-of-a-timeout).
    ///
    /// Knows which fields were given, so that the others can come from elsewhere: from a preset, from
    /// the program, or from the timeout as it is. Written, it has only what was given; made from a
    /// [`Config`], everything.
    ///
    /// ```
    /// use portcullis::{Timeout, config};
    /// use std::time::Duration;
    ///
    /// let settings: config::Timeout = toml::from_str(r#"
    ///     limit = "800ms"
    ///     body_idle = "5s"
    ///     adaptive = { factor = 3 }
    /// "#)?;
    /// let timeout = Timeout::builder("search", settings.build()?).build()?;
    /// assert_eq!(timeout.limit(), Duration::from_millis(800));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Timeout at "timeout" of Config, Preset;
    no_functions {}
    limit: Duration,
    scope: TimeoutScope,
    whole_response: bool,
    body: Option<Duration>,
    body_idle: Option<Duration>,
    // Tables come last: whoever writes TOML without braces cannot go back from them.
    mode: Mode,
    adaptive: Option<Adaptive>,
}

impl Timeout {
    /// The configuration: what was not given is as the preset has it, or by default. A file that is the whole
    /// truth is built like this again for [`reconfigure`](crate::Timeout::reconfigure), when it has changed.
    ///
    /// ```
    /// use portcullis::config;
    ///
    /// let settings: config::Timeout = toml::from_str("limit = \"0s\"")?;
    /// let error = settings.build().unwrap_err();
    /// assert_eq!(error.to_string(), "timeout.limit is 0ns: allowed is 1ms to 86400s");
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
    /// For defaults that the program sets, and for a change of single fields of a timeout that runs.
    ///
    /// ```
    /// use portcullis::{Timeout, config};
    /// use std::time::Duration;
    ///
    /// let timeout = Timeout::attempt("search", Duration::from_secs(1))?;
    /// let settings: config::Timeout = toml::from_str("body = \"5s\"")?;
    /// timeout.reconfigure(settings.over(&timeout.config())?)?;
    /// assert_eq!(timeout.config().body, Some(Duration::from_secs(5)));
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

/// What a call can be timed for; the others are of bodies.
const SCOPES: [TimeoutScope; 2] = [TimeoutScope::Total, TimeoutScope::Attempt];

impl Form for TimeoutScope {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        one_of(f, &SCOPES.map(Self::as_str))
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        match value {
            Unexpected::Str(word) => SCOPES.into_iter().find(|scope| scope.as_str() == word),
            _ => None,
        }
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl Form for Adaptive {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a table, such as { quantile = 0.99, factor = 2 }")
    }

    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, mut map: A) -> Result<Self, A::Error> {
        read_fields!(map, place, { quantile, factor, at_least, min_calls });
        let usual = Self::default();
        Ok(Self {
            quantile: quantile.unwrap_or(usual.quantile),
            factor: factor.unwrap_or(usual.factor),
            at_least: at_least.unwrap_or(usual.at_least),
            min_calls: min_calls.unwrap_or(usual.min_calls),
        })
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { quantile, factor, at_least, min_calls } = *self;
        let [quantile, factor] = &[quantile, factor].map(Some);
        let (at_least, min_calls) = (&Some(at_least), &Some(min_calls));
        write_fields!(to, "Adaptive", { quantile, factor, at_least, min_calls })
    }
}
