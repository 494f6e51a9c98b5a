//! How the settings of limits that are tables stand in a file.

use std::{
    array,
    fmt::{self, Formatter},
};

use portcullis_core::{Priority, bulkhead::Codel, rate::Warmup};
use serde::{
    Serializer,
    de::{Error, MapAccess, Unexpected},
    ser::SerializeMap,
};

use super::{
    fields::{read_fields, write_fields},
    form::{Form, Written, one_of},
    place::{Place, Reader},
};

impl Form for Codel {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a table, such as { target = \"5ms\", interval = \"100ms\" }")
    }

    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, mut map: A) -> Result<Self, A::Error> {
        read_fields!(map, place, { target, interval });
        let usual = Self::default();
        Ok(Self { target: target.unwrap_or(usual.target), interval: interval.unwrap_or(usual.interval) })
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let [target, interval] = &[self.target, self.interval].map(Some);
        write_fields!(to, "Codel", { target, interval })
    }
}

impl Form for Warmup {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a table, such as { from = 0.2, time = \"30s\" }")
    }

    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, mut map: A) -> Result<Self, A::Error> {
        read_fields!(map, place, { from, time });
        let from = from.ok_or_else(|| place.misses("from"))?;
        Ok(Self { from, time: time.ok_or_else(|| place.misses("time"))? })
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let (from, time) = (&Some(self.from), &Some(self.time));
        write_fields!(to, "Warmup", { from, time })
    }
}

impl Form for Priority {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("of priorities, each ")?;
        one_of(f, &Self::ALL.map(Self::as_str))
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        match value {
            Unexpected::Str(word) => Self::ALL.into_iter().find(|class| class.as_str() == word),
            _ => None,
        }
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

/// Numbers by priority: who is not named has none, and none named is the same as off.
impl Form for [u32; Priority::COUNT] {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a table of whole numbers by priority, such as { high = 5 }; or \"off\"")
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        match value {
            Unexpected::Str("off") | Unexpected::Bool(false) => Some(Self::default()),
            _ => None,
        }
    }

    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, mut map: A) -> Result<Self, A::Error> {
        let mut given: [Option<u32>; Priority::COUNT] = Default::default();
        while let Some(class) = map.next_key_seed(Reader::<Priority>::new(place))? {
            let number = map.next_value_seed(Reader::new(place))?;
            if given[class as usize].replace(number).is_some() {
                return Err(Error::duplicate_field(class.as_str()));
            }
        }
        Ok(array::from_fn(|class| given[class].unwrap_or(0)))
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let named = || Priority::ALL.into_iter().zip(self).filter(|(_, number)| **number > 0);
        let mut table = to.serialize_map(Some(named().count()))?;
        for (class, number) in named() {
            table.serialize_entry(class.as_str(), &Written(number))?;
        }
        table.end()
    }
}
