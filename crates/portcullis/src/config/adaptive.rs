//! The settings of an adaptive limit.

use std::{
    collections::BTreeSet,
    fmt::{self, Formatter},
    time::Duration,
};

use portcullis_core::{
    ConfigError, FailureKind, Mode,
    adaptive::{Aimd, Algorithm, Config, Correlation, Gradient, Preset, Vegas},
};
use serde::{
    Serializer,
    de::{Error, MapAccess, Unexpected},
    ser::SerializeStruct,
};

use super::{
    fields::{read_fields, write_fields},
    form::{Form, Written, one_of},
    place::{Place, Reader},
    settings::{no_functions, reload_is_build, settings},
};

settings! {
    /// What a file says of an adaptive limit; see [the list of fields](crate::config#fields-of-an-adaptive-limit).
    ///
    /// Knows which fields were given, so that the others can come from elsewhere: from a preset, from
    /// the program, or from the limit as it is. Written, it has only what was given; made from a
    /// [`Config`], everything.
    ///
    /// ```
    /// use portcullis::{AdaptiveLimit, adaptive::{Algorithm, Gradient}, config};
    ///
    /// let settings: config::AdaptiveLimit = toml::from_str(r#"
    ///     max = 300
    ///     ceiling = "2s"
    ///     congestion = ["timeout", "rate_limited"]
    ///     algorithm = { gradient = { tolerance = 2.0 } }
    /// "#)?;
    /// let search = AdaptiveLimit::builder("search").config(settings.build()?).build()?;
    /// let gradient = Gradient { tolerance: 2.0, ..Gradient::default() };
    /// assert_eq!(search.config().algorithm, Algorithm::Gradient(gradient));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    AdaptiveLimit at "adaptive_limit" of Config, Preset;
    no_functions {}
    min: u32,
    max: u32,
    initial: u32,
    ceiling: Option<Duration>,
    window: Duration,
    min_samples: u32,
    tolerated: f64,
    backoff: f64,
    probe_every: Duration,
    congestion: BTreeSet<FailureKind>,
    // Tables come last: whoever writes TOML without braces cannot go back from them.
    mode: Mode,
    algorithm: Algorithm,
}

reload_is_build!(AdaptiveLimit, Config);

impl AdaptiveLimit {
    /// The configuration: what was not given is as the preset has it, or by default. A file that is the whole
    /// truth is built like this again for [`reconfigure`](crate::AdaptiveLimit::reconfigure), when it has changed.
    ///
    /// ```
    /// use portcullis::config;
    ///
    /// let settings: config::AdaptiveLimit = toml::from_str("min = 0")?;
    /// let error = settings.build().unwrap_err();
    /// assert_eq!(error.to_string(), "adaptive_limit.min is 0: allowed is 1 to 1000");
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
    /// use portcullis::{AdaptiveLimit, config};
    ///
    /// let limit = AdaptiveLimit::builder("search").initial(10).build()?;
    /// let settings: config::AdaptiveLimit = toml::from_str("max = 50")?;
    /// limit.reconfigure(settings.over(&limit.config())?)?;
    /// assert_eq!((limit.config().initial, limit.config().max), (10, 50));
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

/// A word, or a table of that one word with its parameters.
impl Form for Algorithm {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        one_of(f, &Self::all().map(|algorithm| algorithm.as_str()))?;
        f.write_str("; or a table, such as { vegas = { beta = 8 } }")
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        match value {
            Unexpected::Str(word) => Self::all().into_iter().find(|algorithm| algorithm.as_str() == word),
            _ => None,
        }
    }

    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, mut map: A) -> Result<Self, A::Error> {
        read_fields!(map, place, { aimd, vegas, gradient, correlation });
        let given = [
            aimd.map(Self::Aimd),
            vegas.map(Self::Vegas),
            gradient.map(Self::Gradient),
            correlation.map(Self::Correlation),
        ];
        let mut given = given.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(algorithm), None) => Ok(algorithm),
            _ => Err(A::Error::invalid_type(Unexpected::Map, &Reader::<Self>::new(place))),
        }
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut table = to.serialize_struct("Algorithm", 1)?;
        match self {
            Self::Aimd(aimd) => table.serialize_field("aimd", &Written(aimd))?,
            Self::Vegas(vegas) => table.serialize_field("vegas", &Written(vegas))?,
            Self::Gradient(gradient) => table.serialize_field("gradient", &Written(gradient))?,
            Self::Correlation(correlation) => table.serialize_field("correlation", &Written(correlation))?,
            // There is none.
            _ => {}
        }
        table.end()
    }
}

/// The form of a struct of parameters, each of which has a default.
macro_rules! parameters {
    ($($type:ident { $($field:ident),* }, such as $example:literal;)*) => {$(
        impl Form for $type {
            fn expected(f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str(concat!("a table, such as { ", $example, " }"))
            }

            fn table<'de, A: MapAccess<'de>>(place: Place<'_>, mut map: A) -> Result<Self, A::Error> {
                read_fields!(map, place, { $($field),* });
                let usual = Self::default();
                Ok(Self { $($field: $field.unwrap_or(usual.$field)),* })
            }

            fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                $(let $field = &Some(self.$field);)*
                write_fields!(to, stringify!($type), { $($field),* })
            }
        }
    )*};
}

parameters! {
    Aimd { increase }, such as "increase = 1";
    Vegas { alpha, beta, smoothing }, such as "alpha = 3, beta = 6";
    Gradient { tolerance, queue, smoothing, long_window }, such as "tolerance = 1.5, queue = 4";
    Correlation { alpha, beta, windows }, such as "alpha = 3, beta = 6";
}
