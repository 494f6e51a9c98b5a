//! The settings of a load shedding.

use std::{
    fmt::{self, Formatter},
    time::Duration,
};

use portcullis_core::{
    ConfigError, Mode, Priority,
    shed::{Config, DEFAULT_COOLING, DEFAULT_SHARES, Preset, Pressure, PressureSource, QueueDelay},
};
use serde::{
    Serializer,
    de::{Error, MapAccess, Unexpected},
    ser::SerializeMap,
};

use super::{
    fields::{read_fields, write_fields},
    form::{Form, Written, one_of},
    place::{Place, Reader},
    settings::settings,
};

settings! {
    /// What a file says of a load shedding; see [the list of fields](crate::config#fields-of-a-load-shedding).
    ///
    /// Knows which fields were given, so that the others can come from elsewhere: from a preset, from
    /// the program, or from the policy as it is. Written, it has only what was given; made from a
    /// [`Config`], everything but a pressure that is a function.
    ///
    /// ```
    /// use portcullis::{LoadShed, Priority, config};
    ///
    /// let settings: config::LoadShed = toml::from_str(r#"
    ///     max_in_flight = 500
    ///     queue_delay = { target = "10ms" }
    ///     shares = { lowest = 0.2 }
    /// "#)?;
    /// let shed = LoadShed::builder("api").config(settings.build()?).build()?;
    /// assert_eq!(shed.status().limits, Some([100, 325, 400, 450, 500]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    LoadShed at "load_shed" of Config, Preset;
    with_functions_of {}
    max_in_flight: Option<u32>,
    cut: f64,
    max_cut: f64,
    retry_after: Option<Duration>,
    // Tables come last: whoever writes TOML without braces cannot go back from them.
    mode: Mode,
    queue_delay: Option<QueueDelay>,
    pressure: Option<Pressure>,
    shares: [f64; Priority::COUNT],
}

impl LoadShed {
    /// The configuration: what was not given is as the preset has it, or by default.
    ///
    /// ```
    /// use portcullis::config;
    ///
    /// let settings: config::LoadShed = toml::from_str("max_in_flight = 0")?;
    /// let error = settings.build().unwrap_err();
    /// assert_eq!(error.to_string(), "load_shed.max_in_flight is 0: allowed is 1 to 1000000");
    /// # Ok::<(), toml::de::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn build(&self) -> Result<Config, ConfigError> {
        self.over(&Config::default())
    }

    /// The configuration: what was not given is as `base` has it. With a preset, nothing is left of `base` but a
    /// pressure that is a function. That stays until another pressure is given.
    ///
    /// For defaults that the program sets, and for a change of single fields of a policy that runs. A file that
    /// is the whole truth is for [`reload`](Self::reload).
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn over(&self, base: &Config) -> Result<Config, ConfigError> {
        let config = self.given_over(self.base(base));
        config.check().map(|()| config)
    }

    /// The configuration as [`build`](Self::build) has it, with the pressure that `current` has if that is a
    /// function, which cannot stand in a file. For a policy that runs, when its file has changed.
    ///
    /// ```
    /// use portcullis::{LoadShed, config};
    ///
    /// let shed = LoadShed::builder("api").max_in_flight(100).pressure_of(0.9, || None).build()?;
    ///
    /// let settings: config::LoadShed = toml::from_str("max_in_flight = 200")?;
    /// shed.reconfigure(settings.reload(&shed.config())?)?;
    /// assert_eq!(shed.config().max_in_flight, Some(200));
    /// assert!(shed.config().pressure.is_some());
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

fn with_functions_of(config: &Config, mut rules: Config) -> Config {
    if let Some(Pressure { source: PressureSource::Function(_), .. }) = config.pressure {
        rules.pressure = config.pressure.clone();
    }
    rules
}

impl Form for QueueDelay {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a table, such as { target = \"20ms\", interval = \"100ms\" }")
    }

    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, mut map: A) -> Result<Self, A::Error> {
        read_fields!(map, place, { target, interval });
        let usual = Self::default();
        Ok(Self { target: target.unwrap_or(usual.target), interval: interval.unwrap_or(usual.interval) })
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let [target, interval] = &[self.target, self.interval].map(Some);
        write_fields!(to, "QueueDelay", { target, interval })
    }
}

impl Form for Pressure {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a table, such as { limit = 0.9, source = \"cpu\" }")
    }

    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, mut map: A) -> Result<Self, A::Error> {
        read_fields!(map, place, { limit, source, cooling });
        Ok(Self {
            limit: limit.ok_or_else(|| place.misses("limit"))?,
            source: source.unwrap_or_default(),
            cooling: cooling.unwrap_or(DEFAULT_COOLING),
        })
    }

    fn can_be_written(&self) -> bool {
        self.source.can_be_written()
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { limit, source, cooling } = self.clone();
        let (limit, source, cooling) = (&Some(limit), &Some(source), &Some(cooling));
        write_fields!(to, "Pressure", { limit, source, cooling })
    }
}

/// The sources that a file can name.
const SOURCES: [(&str, PressureSource); 2] =
    [("cpu", PressureSource::Cpu), ("cpu_stalls", PressureSource::CpuStalls)];

impl Form for PressureSource {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        one_of(f, &SOURCES.map(|(word, _)| word))
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        match value {
            Unexpected::Str(text) => {
                SOURCES.into_iter().find(|(word, _)| *word == text).map(|(_, source)| source)
            }
            _ => None,
        }
    }

    fn can_be_written(&self) -> bool {
        !matches!(self, Self::Function(_))
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let known = SOURCES.into_iter().find(|(_, source)| source == self);
        // For a function nobody asks.
        to.serialize_str(known.map_or("cpu", |(word, _)| word))
    }
}

/// Shares by priority: who is not named has the usual one.
impl Form for [f64; Priority::COUNT] {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a table of shares by priority, such as { lowest = 0.3, high = 1.0 }")
    }

    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, mut map: A) -> Result<Self, A::Error> {
        let mut given: [Option<f64>; Priority::COUNT] = Default::default();
        while let Some(class) = map.next_key_seed(Reader::<Priority>::new(place))? {
            let share = map.next_value_seed(Reader::new(place))?;
            if given[class as usize].replace(share).is_some() {
                return Err(Error::duplicate_field(class.as_str()));
            }
        }
        Ok(std::array::from_fn(|class| given[class].unwrap_or(DEFAULT_SHARES[class])))
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut table = to.serialize_map(Some(Priority::COUNT))?;
        for (class, share) in Priority::ALL.into_iter().zip(self) {
            table.serialize_entry(class.as_str(), &Written(share))?;
        }
        table.end()
    }
}
