//! How the settings that are tables stand in a file.

use std::{
    collections::BTreeMap,
    fmt::{self, Formatter},
};

use portcullis_core::{
    FailureKind, Mode,
    breaker::{DEFAULT_SLOW_RATIO, SlowRule, TimeRule},
};
use serde::{
    Serializer,
    de::{Error, MapAccess, Unexpected},
    ser::{SerializeMap, SerializeStruct},
};

use super::{
    fields::read_fields,
    form::{Form, Written, one_of},
    place::{Place, Reader},
};

impl Form for TimeRule {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a table, such as { span = \"10s\", failure_ratio = 0.5 }")
    }

    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, mut map: A) -> Result<Self, A::Error> {
        read_fields!(map, place, { span, buckets, failure_ratio, minimum_calls });
        let usual = Self::default();
        Ok(Self {
            span: span.unwrap_or(usual.span),
            buckets: buckets.unwrap_or(usual.buckets),
            failure_ratio: failure_ratio.unwrap_or(usual.failure_ratio),
            minimum_calls: minimum_calls.unwrap_or(usual.minimum_calls),
        })
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { span, buckets, failure_ratio, minimum_calls } = self;
        let mut table = to.serialize_struct("TimeRule", 4)?;
        table.serialize_field("span", &Written(span))?;
        table.serialize_field("buckets", &Written(buckets))?;
        table.serialize_field("failure_ratio", &Written(failure_ratio))?;
        table.serialize_field("minimum_calls", &Written(minimum_calls))?;
        table.end()
    }
}

impl Form for SlowRule {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a table, such as { after = \"2s\", ratio = 0.5 }")
    }

    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, mut map: A) -> Result<Self, A::Error> {
        read_fields!(map, place, { after, ratio });
        let after = after.ok_or_else(|| place.misses("after"))?;
        Ok(Self { after, ratio: ratio.unwrap_or(DEFAULT_SLOW_RATIO) })
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { after, ratio } = self;
        let mut table = to.serialize_struct("SlowRule", 2)?;
        table.serialize_field("after", &Written(after))?;
        table.serialize_field("ratio", &Written(ratio))?;
        table.end()
    }
}

/// The modes that are a word.
const MODES: [Mode; 3] = [Mode::Enforce, Mode::Shadow, Mode::Disabled];

impl Form for Mode {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        one_of(f, &MODES.map(Self::as_str))?;
        f.write_str("; or a table, such as { enforce_percent = 25 }")
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        match value {
            Unexpected::Str(word) => MODES.into_iter().find(|mode| mode.as_str() == word),
            _ => None,
        }
    }

    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, mut map: A) -> Result<Self, A::Error> {
        read_fields!(map, place, { enforce_percent });
        let percent = enforce_percent.ok_or_else(|| place.misses("enforce_percent"))?;
        Ok(Self::EnforcePercent(percent))
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self::EnforcePercent(percent) = self else {
            return to.serialize_str(self.as_str());
        };
        let mut table = to.serialize_struct("Mode", 1)?;
        table.serialize_field("enforce_percent", &Written(percent))?;
        table.end()
    }
}

impl Form for FailureKind {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("of kinds of failure, each ")?;
        one_of(f, &Self::ALL.map(Self::as_str))
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        match value {
            Unexpected::Str(word) => Self::ALL.into_iter().find(|kind| kind.as_str() == word),
            _ => None,
        }
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

/// Limits by kind: none of them is the same as off.
impl Form for BTreeMap<FailureKind, u32> {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a table of whole numbers by kind of failure, such as { timeout = 10 }; or \"off\"")
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        match value {
            Unexpected::Str("off") | Unexpected::Bool(false) => Some(Self::new()),
            _ => None,
        }
    }

    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, mut map: A) -> Result<Self, A::Error> {
        let mut limits = Self::new();
        while let Some(kind) = map.next_key_seed(Reader::<FailureKind>::new(place))? {
            if limits.insert(kind, map.next_value_seed(Reader::new(place))?).is_some() {
                return Err(Error::duplicate_field(kind.as_str()));
            }
        }
        Ok(limits)
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut table = to.serialize_map(Some(self.len()))?;
        for (kind, limit) in self {
            table.serialize_entry(kind.as_str(), &Written(limit))?;
        }
        table.end()
    }
}
