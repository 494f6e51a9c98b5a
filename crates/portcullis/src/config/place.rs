//! Where a value stands in a file, and how it is read there.

use std::{
    fmt::{self, Display, Formatter},
    marker::PhantomData,
};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Unexpected, Visitor},
};

use super::form::Form;

/// The path of a field, such as `breaker.slow_calls.after`: not every format tells that with its errors.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    name: &'static str,
    within: Option<&'a Self>,
}

impl Place<'_> {
    /// What is not part of anything else.
    pub(super) fn of(name: &'static str) -> Self {
        Self { name, within: None }
    }
}

impl<'a> Place<'a> {
    /// A field of the table that stands here.
    pub(super) fn field<'b>(&'b self, name: &'static str) -> Place<'b>
    where
        'a: 'b,
    {
        Place { name, within: Some(self) }
    }

    /// The error of a table without this field.
    pub(super) fn misses<E: Error>(&self, field: &'static str) -> E {
        E::custom(format_args!("{} is missing", self.field(field)))
    }
}

impl Display for Place<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(within) = self.within {
            write!(f, "{within}.")?;
        }
        f.write_str(self.name)
    }
}

/// Reads the value that stands at a place.
pub(super) struct Reader<'a, T> {
    place: Place<'a>,
    form: PhantomData<T>,
}

impl<'a, T> Reader<'a, T> {
    pub(super) fn new(place: Place<'a>) -> Self {
        Self { place, form: PhantomData }
    }
}

impl<T: Form> Reader<'_, T> {
    fn scalar<E: Error>(&self, value: Unexpected<'_>) -> Result<T, E> {
        T::scalar(value).ok_or_else(|| E::invalid_value(value, self))
    }
}

impl<'de, T: Form> DeserializeSeed<'de> for Reader<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<T, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de, T: Form> Visitor<'de> for Reader<'_, T> {
    type Value = T;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} to be ", self.place)?;
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
        T::table(self.place, map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::list(self.place, list)
    }
}
