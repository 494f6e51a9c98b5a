//! How single values stand in a file.

use std::{
    fmt::{self, Formatter},
    time::Duration,
};

use jiff::fmt::friendly::{SpanParser, SpanPrinter};
use serde::{
    Serialize, Serializer,
    de::{Error, MapAccess, SeqAccess, Unexpected},
};

use super::place::{Place, Reader};
use crate::{adaptive, breaker, bulkhead, hedge, rate, retry, shed};

/// How a type stands in a file: as one word or number, as a table, or as a list.
pub(super) trait Form: Sized {
    /// What it looks like, for whoever wrote something else.
    fn expected(f: &mut Formatter<'_>) -> fmt::Result;

    /// The value of a word or a number, if it is one.
    fn scalar(_: Unexpected<'_>) -> Option<Self> {
        None
    }

    /// The value of the table that stands here.
    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, _: A) -> Result<Self, A::Error> {
        Err(Error::invalid_type(Unexpected::Map, &Reader::<Self>::new(place)))
    }

    /// The value of the list that stands here.
    fn list<'de, A: SeqAccess<'de>>(place: Place<'_>, _: A) -> Result<Self, A::Error> {
        Err(Error::invalid_type(Unexpected::Seq, &Reader::<Self>::new(place)))
    }

    /// Whether it is none of what a file cannot say, such as a function.
    fn can_be_written(&self) -> bool {
        true
    }

    /// Writes it.
    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error>;
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

/// Bytes.
impl Form for u64 {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number, 0 or more")
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        match value {
            Unexpected::Unsigned(number) => Some(number),
            _ => None,
        }
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(*self)
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

/// Types that are one of some words.
macro_rules! words {
    ($($type:ty),*) => {$(
        impl Form for $type {
            fn expected(f: &mut Formatter<'_>) -> fmt::Result {
                one_of(f, &Self::ALL.map(Self::as_str))
            }

            fn scalar(value: Unexpected<'_>) -> Option<Self> {
                match value {
                    Unexpected::Str(word) => Self::ALL.into_iter().find(|one| one.as_str() == word),
                    _ => None,
                }
            }

            fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.as_str())
            }
        }
    )*};
}

pub(super) use words;

words!(
    adaptive::Preset,
    breaker::Preset,
    retry::Preset,
    hedge::Preset,
    bulkhead::Preset,
    rate::Preset,
    shed::Preset
);
words!(crate::throttle::Preset);
words!(portcullis_core::health::CheckPreset);
words!(portcullis_core::cache::Preset);
words!(crate::drain::Preset);
words!(crate::timeout::Preset);
words!(bulkhead::keyed::Preset, bulkhead::Order, rate::Algorithm, crate::pool::Preset);

words!(crate::balance::Preset);
words!(crate::coalesce::OnFailure);

impl Form for String {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        match value {
            Unexpected::Str(text) => Some(text.to_owned()),
            _ => None,
        }
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self)
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

    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, map: A) -> Result<Self, A::Error> {
        T::table(place, map).map(Some)
    }

    fn list<'de, A: SeqAccess<'de>>(place: Place<'_>, list: A) -> Result<Self, A::Error> {
        T::list(place, list).map(Some)
    }

    fn can_be_written(&self) -> bool {
        self.as_ref().is_none_or(T::can_be_written)
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
