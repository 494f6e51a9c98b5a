//! The settings of the waits between attempts.

use std::{
    fmt::{self, Formatter},
    time::Duration,
};

use portcullis_core::{
    ConfigError,
    retry::{self, Curve, DEFAULT_BASE, DEFAULT_CAP, DEFAULT_FACTOR, Jitter},
};
use serde::{
    Serializer,
    de::{Error, MapAccess, Unexpected},
    ser::SerializeStruct,
};

use super::{
    fields::{read_fields, write_fields},
    form::{Form, Written, one_of},
    place::Place,
    settings::{Field, serde},
};

/// What a file says of the waits between attempts; see [the list of fields](crate::config#fields-of-a-retry).
///
/// ```
/// use portcullis::{config, retry::Backoff};
/// use std::{collections::BTreeMap, time::Duration};
///
/// let file = r#"
///     short = "20ms"
///     none = "off"
///     steady = { curve = "linear", base = "1s", jitter = { uniform = 0.2 } }
///     ours = { waits = ["10ms", "100ms", "1s"] }
/// "#;
/// let backoffs: BTreeMap<String, config::Backoff> = toml::from_str(file)?;
/// assert_eq!(backoffs["short"].build()?, Backoff::exponential(Duration::from_millis(20)));
/// assert_eq!(backoffs["none"].build()?, Backoff::NONE);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Backoff {
    curve: Option<Shape>,
    base: Option<Duration>,
    factor: Option<f64>,
    cap: Option<Duration>,
    jitter: Option<Jitter>,
    waits: Option<Vec<Duration>>,
}

/// A curve by its word.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    Exponential,
    Linear,
    Fixed,
    Fibonacci,
    List,
}

impl Backoff {
    /// The backoff: what was not given is by default.
    ///
    /// # Errors
    ///
    /// The first field outside its range.
    pub fn build(&self) -> Result<retry::Backoff, ConfigError> {
        let backoff = self.clone().over(retry::Backoff::default());
        backoff.check().map(|()| backoff)
    }

    /// The longest first wait there can be, which the default cap is not to cut.
    fn first(&self) -> Duration {
        let base = self.base.unwrap_or(DEFAULT_BASE);
        match (&self.waits, self.jitter) {
            (Some(waits), _) => waits.iter().max().copied().unwrap_or_default(),
            (None, Some(Jitter::Decorrelated)) => base.saturating_mul(3).min(LONGEST),
            _ => base,
        }
    }
}

/// The longest cap there may be.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

impl Field<retry::Backoff> for Backoff {
    /// Taken as a whole, but for a function, which cannot stand in a file.
    fn over(self, base: retry::Backoff) -> retry::Backoff {
        let cap = self.cap.unwrap_or_else(|| self.first().max(DEFAULT_CAP));
        let curve = match (self.waits, self.curve, base.curve) {
            (Some(waits), ..) => Curve::list(waits),
            (None, None, function @ Curve::Function(_)) => function,
            (None, shape, _) => shape.unwrap_or(Shape::Exponential).curve(),
        };
        retry::Backoff {
            curve,
            base: self.base.unwrap_or(DEFAULT_BASE),
            factor: self.factor.unwrap_or(DEFAULT_FACTOR),
            cap,
            jitter: self.jitter.unwrap_or_default(),
        }
    }

    fn of(backoff: retry::Backoff) -> Self {
        let retry::Backoff { curve, base, factor, cap, jitter } = backoff;
        let waits = match &curve {
            Curve::List(waits) => Some(waits.to_vec()),
            _ => None,
        };
        Self {
            curve: Shape::of(&curve),
            base: Some(base),
            factor: Some(factor),
            cap: Some(cap),
            jitter: Some(jitter),
            waits,
        }
    }
}

impl Form for Backoff {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a table, such as { base = \"50ms\", cap = \"20s\" }; or the base alone; or \"off\"")
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        match value {
            Unexpected::Str("off") | Unexpected::Bool(false) => Some(Self::of(retry::Backoff::NONE)),
            value => Duration::scalar(value).map(|base| Self { base: Some(base), ..Self::default() }),
        }
    }

    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, mut map: A) -> Result<Self, A::Error> {
        read_fields!(map, place, { curve, base, factor, cap, jitter, waits });
        match (&curve, &waits) {
            (Some(Shape::List), None) => Err(place.misses("waits")),
            (None | Some(Shape::List), Some(_)) | (_, None) => {
                Ok(Self { curve, base, factor, cap, jitter, waits })
            }
            _ => Err(A::Error::custom(format_args!("{} is for the curve list", place.field("waits")))),
        }
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { curve, base, factor, cap, jitter, waits } = self;
        write_fields!(to, "Backoff", { curve, base, factor, cap, waits, jitter })
    }
}

serde!(Backoff at "retry.backoff");

impl Shape {
    const ALL: [Self; 5] = [Self::Exponential, Self::Linear, Self::Fixed, Self::Fibonacci, Self::List];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Exponential => "exponential",
            Self::Linear => "linear",
            Self::Fixed => "fixed",
            Self::Fibonacci => "fibonacci",
            Self::List => "list",
        }
    }

    /// The word of a curve that has one.
    fn of(curve: &Curve) -> Option<Self> {
        match curve {
            Curve::Exponential => Some(Self::Exponential),
            Curve::Linear => Some(Self::Linear),
            Curve::Fixed => Some(Self::Fixed),
            Curve::Fibonacci => Some(Self::Fibonacci),
            Curve::List(_) => Some(Self::List),
            _ => None,
        }
    }

    fn curve(self) -> Curve {
        match self {
            Self::Exponential => Curve::Exponential,
            Self::Linear => Curve::Linear,
            Self::Fixed => Curve::Fixed,
            Self::Fibonacci => Curve::Fibonacci,
            Self::List => Curve::list([]),
        }
    }
}

super::form::words!(Shape);

/// The jitters that are a word.
const JITTERS: [(&str, Jitter); 5] = [
    ("full", Jitter::Full),
    ("equal", Jitter::Equal),
    ("exponential", Jitter::Exponential),
    ("decorrelated", Jitter::Decorrelated),
    ("none", Jitter::None),
];

impl Form for Jitter {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        one_of(f, &JITTERS.map(|(word, _)| word))?;
        f.write_str("; or a table, such as { uniform = 0.2 }")
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        match value {
            Unexpected::Str(text) => JITTERS.into_iter().find(|(word, _)| *word == text).map(|(_, is)| is),
            _ => None,
        }
    }

    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, mut map: A) -> Result<Self, A::Error> {
        read_fields!(map, place, { uniform });
        uniform.map(Self::Uniform).ok_or_else(|| place.misses("uniform"))
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if let Self::Uniform(share) = self {
            let mut table = to.serialize_struct("Jitter", 1)?;
            table.serialize_field("uniform", &Written(share))?;
            return table.end();
        }
        let word = JITTERS.into_iter().find(|(_, jitter)| jitter == self).map(|(word, _)| word);
        to.serialize_str(word.unwrap_or("full"))
    }
}
