//! The settings of chaos.

use std::{
    fmt::{self, Formatter},
    time::Duration,
};

use portcullis_core::{
    ConfigError, FailureKind,
    chaos::{Config, Fault, FaultKind, Latency, Schedule},
};
use serde::{
    Serializer,
    de::{Error, MapAccess, SeqAccess, Unexpected},
};

use super::{
    fields::{read_fields, write_fields},
    form::{Form, Written},
    lists::items,
    place::Place,
    settings::{reload_is_build, settings},
};

settings! {
    /// What a file says of chaos; see [the list of fields](crate::config#fields-of-chaos).
    ///
    /// Knows which fields were given, so that the others can come from elsewhere: from the program, or from the policy
    /// as it is. Written, it has only what was given; made from a [`Config`], everything.
    ///
    /// ```
    /// use portcullis::{Chaos, FailureKind, chaos::{Fault, FaultKind}, config};
    ///
    /// let settings: config::Chaos = toml::from_str(r#"
    ///     enabled = true
    ///     schedule = { active = "30s", every = "10m" }
    ///     faults = [
    ///         { share = 0.1, what = { latency = { exponential = "200ms" } } },
    ///         { share = 0.05, what = { error = "unavailable" } },
    ///         { share = 0.01, what = "hang" },
    ///     ]
    /// "#)?;
    /// let chaos = Chaos::builder("inventory").config(settings.build()?).build()?;
    /// assert_eq!(chaos.config().faults[1], Fault { share: 0.05, what: FaultKind::Error(FailureKind::Unavailable) });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    Chaos at "chaos" of Config;
    {}
    enabled: bool,
    // Tables come last: whoever writes TOML without braces cannot go back from them.
    schedule: Option<Schedule>,
    faults: Vec<Fault>,
}

reload_is_build!(Chaos, Config);

impl Chaos {
    /// The configuration: what was not given is by default.
    ///
    /// ```
    /// use portcullis::config;
    ///
    /// let settings: config::Chaos = toml::from_str("faults = [{ share = 2, what = \"panic\" }]")?;
    /// let error = settings.build().unwrap_err();
    /// assert_eq!(error.to_string(), "chaos.share is 2.0: allowed is 0.0 to 1.0");
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

impl Form for Schedule {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a table, such as { active = \"30s\", every = \"10m\" }")
    }

    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, mut map: A) -> Result<Self, A::Error> {
        read_fields!(map, place, { active, every });
        let active = active.ok_or_else(|| place.misses("active"))?;
        Ok(Self { active, every: every.ok_or_else(|| place.misses("every"))? })
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let [active, every] = &[self.active, self.every].map(Some);
        write_fields!(to, "Schedule", { active, every })
    }
}

impl Form for Vec<Fault> {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a list of faults, each a table, such as { share = 0.1, what = { error = \"internal\" } }",
        )
    }

    fn list<'de, A: SeqAccess<'de>>(place: Place<'_>, list: A) -> Result<Self, A::Error> {
        items(place, list)
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter().map(Written))
    }
}

impl Form for Fault {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("of faults, each a table, such as { share = 0.1, what = { error = \"internal\" } }")
    }

    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, mut map: A) -> Result<Self, A::Error> {
        read_fields!(map, place, { share, what });
        let share = share.ok_or_else(|| place.misses("share"))?;
        Ok(Self { share, what: what.ok_or_else(|| place.misses("what"))? })
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let (share, what) = (&Some(self.share), &Some(self.what));
        write_fields!(to, "Fault", { share, what })
    }
}

/// The faults that are a word.
const WORDS: [FaultKind; 3] = [FaultKind::Response, FaultKind::Panic, FaultKind::Hang];

impl Form for FaultKind {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        super::form::one_of(f, &WORDS.map(Self::as_str))?;
        f.write_str("; or a table of one of latency, error, cut_body, bandwidth")
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        match value {
            Unexpected::Str(word) => WORDS.into_iter().find(|fault| fault.as_str() == word),
            _ => None,
        }
    }

    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, mut map: A) -> Result<Self, A::Error> {
        read_fields!(map, place, { latency, error, cut_body, bandwidth });
        match (latency, error, cut_body, bandwidth) {
            (Some(latency), None, None, None) => Ok(Self::Latency(latency)),
            (None, Some(kind), None, None) => Ok(Self::Error(kind)),
            (None, None, Some(bytes), None) => Ok(Self::CutBody(bytes)),
            (None, None, None, Some(bytes)) => Ok(Self::Bandwidth(bytes)),
            _ => Err(A::Error::custom(format_args!("{place} is one fault, no more and no less"))),
        }
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let (mut latency, mut error) = (None::<Latency>, None::<FailureKind>);
        let (mut cut_body, mut bandwidth) = (None::<u64>, None::<u64>);
        match *self {
            Self::Latency(by) => latency = Some(by),
            Self::Error(kind) => error = Some(kind),
            Self::CutBody(bytes) => cut_body = Some(bytes),
            Self::Bandwidth(bytes) => bandwidth = Some(bytes),
            word => return to.serialize_str(word.as_str()),
        }
        let (latency, error, cut_body, bandwidth) = (&latency, &error, &cut_body, &bandwidth);
        write_fields!(to, "FaultKind", { latency, error, cut_body, bandwidth })
    }
}

impl Form for Latency {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a time, such as \"200ms\"; or a table, such as { exponential = \"200ms\" }, ")?;
        f.write_str("{ uniform = [\"10ms\", \"50ms\"] } or { normal = [\"100ms\", \"20ms\"] }")
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        Duration::scalar(value).map(Self::Fixed)
    }

    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, mut map: A) -> Result<Self, A::Error> {
        read_fields!(map, place, { uniform, exponential, normal });
        let uniform: Option<Vec<Duration>> = uniform;
        let normal: Option<Vec<Duration>> = normal;
        match (uniform.as_deref(), exponential, normal.as_deref()) {
            (Some(&[least, most]), None, None) => Ok(Self::Uniform(least, most)),
            (None, Some(mean), None) => Ok(Self::Exponential(mean)),
            (None, None, Some(&[mean, deviation])) => Ok(Self::Normal(mean, deviation)),
            _ => Err(A::Error::custom(format_args!(
                "{place} is one of uniform, with the least and the most, exponential, with the mean, and normal, \
                 with the mean and the deviation"
            ))),
        }
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let (mut uniform, mut exponential, mut normal) = (None, None, None);
        match *self {
            Self::Uniform(least, most) => uniform = Some(vec![least, most]),
            Self::Exponential(mean) => exponential = Some(mean),
            Self::Normal(mean, deviation) => normal = Some(vec![mean, deviation]),
            Self::Fixed(time) => return time.write(to),
            _ => return Duration::ZERO.write(to),
        }
        let (uniform, exponential, normal) = (&uniform, &exponential, &normal);
        write_fields!(to, "Latency", { uniform, exponential, normal })
    }
}
