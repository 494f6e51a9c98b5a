//! How single values stand in a file.

use std::{
    fmt::{self, Formatter},
    marker::PhantomData,
    time::Duration,
};

use jiff::fmt::friendly::{SpanParser, SpanPrinter};
use portcullis_core::breaker::Preset;
use serde::{
    Deserializer, Serialize, Serializer,
    de::{DeserializeSeed, Error, MapAccess, Unexpected, Visitor},
};

/// How a type stands in a file: as one word or number, or as a table.
pub(super) trait Form: Sized {
    /// What it looks like, for whoever wrote something else.
    fn expected(f: &mut Formatter<'_>) -> fmt::Result;

    /// The value of a word or a number, if it is one.
    fn scalar(value: Unexpected<'_>) -> Option<Self>;

    /// The value of the table at `field`.
    fn table<'de, A: MapAccess<'de>>(field: &'static str, _: A) -> Result<Self, A::Error> {
        Err(Error::invalid_type(Unexpected::Map, &Reader::<Self>::new(field)))
    }

    /// Writes it.
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error>;
}

/// Reads a value, and knows at which field it stands: not every format tells that with its errors.
pub(super) struct Reader<T> {
    field: &'static str,
    form: PhantomData<T>,
}

impl<T> Reader<T> {
    pub(super) fn new(field: &'static str) -> Self {
        Self { field, form: PhantomData }
    }
}

impl<T: Form> Reader<T> {
    fn scalar<E: Error>(&self, value: Unexpected<'_>) -> Result<T, E> {
        T::scalar(value).ok_or_else(|| E::invalid_value(value, self))
    }
}

impl<'de, T: Form> DeserializeSeed<'de> for Reader<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<T, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de, T: Form> Visitor<'de> for Reader<T> {
    type Value = T;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} to be ", self.field)?;
        T::expected(f)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<T, E> {
        self.scalar(Unexpected::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
        self.scalar(u64::try_from(value).map_or(Unexpected::Signed(value), Unexpected::Unsigned))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<T, E> {
        self.scalar(Unexpected::Unsigned(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<T, E> {
        self.scalar(Unexpected::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<T, E> {
        self.scalar(Unexpected::Str(value))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::table(self.field, map)
    }
}

/// Writes a value.
pub(super) struct Written<'a, T>(pub(super) &'a T);

impl<T: Form> Serialize for Written<'_, T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.write(to)
    }
}

impl Form for u32 {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number, 0 to {}", Self::MAX)
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        match value {
            Unexpected::Unsigned(number) => Self::try_from(number).ok(),
            _ => None,
        }
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u32(*self)
    }
}

/// The only numbers this small are percentages.
impl Form for u8 {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a percentage, 0 to 100")
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        match value {
            Unexpected::Unsigned(number) => Self::try_from(number).ok(),
            _ => None,
        }
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u8(*self)
    }
}

impl Form for f64 {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        match value {
            Unexpected::Float(number) => Some(number),
            // Rounded to the nearest, as a number with a point would be.
            Unexpected::Unsigned(number) => Some(number as Self),
            Unexpected::Signed(number) => Some(number as Self),
            _ => None,
        }
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(*self)
    }
}

impl Form for bool {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("true or false")
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        match value {
            Unexpected::Bool(value) => Some(value),
            _ => None,
        }
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bool(*self)
    }
}

impl Form for Duration {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a time with its unit, hours at most, such as \"250ms\" or \"1m 30s\"")
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        match value {
            Unexpected::Str(text) => SpanParser::new().parse_unsigned_duration(text).ok(),
            _ => None,
        }
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&SpanPrinter::new().unsigned_duration_to_string(self))
    }
}

impl Form for Preset {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        one_of(f, &Self::ALL.map(Self::as_str))
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        match value {
            Unexpected::Str(word) => word.parse().ok(),
            _ => None,
        }
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

/// What can be off is `"off"` or `false` when it is: not every format has a null, and not every null means it.
impl<T: Form> Form for Option<T> {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        T::expected(f)?;
        f.write_str("; or \"off\"")
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        match value {
            Unexpected::Str("off") | Unexpected::Bool(false) => Some(None),
            value => T::scalar(value).map(Some),
        }
    }

    fn table<'de, A: MapAccess<'de>>(field: &'static str, map: A) -> Result<Self, A::Error> {
        T::table(field, map).map(Some)
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Some(value) => value.write(to),
            None => to.serialize_str("off"),
        }
    }
}

/// Names the words that there are.
pub(super) fn one_of(f: &mut Formatter<'_>, words: &[&str]) -> fmt::Result {
    write!(f, "one of {}", words.join(", "))
}
