//! How settings that are lists stand in a file.

use std::{
    collections::BTreeSet,
    fmt::{self, Formatter},
    time::Duration,
};

use portcullis_core::{FailureKind, GrpcCode, GrpcCodes};
use serde::{
    Serializer,
    de::{SeqAccess, Unexpected},
};

use super::{
    form::{Form, Written},
    place::{Place, Reader},
};

/// The items of the list that stands here. What is wrong with one is told as of the list.
pub(super) fn items<'de, T: Form, A: SeqAccess<'de>>(
    place: Place<'_>,
    mut list: A,
) -> Result<Vec<T>, A::Error> {
    let mut items = Vec::new();
    while let Some(item) = list.next_element_seed(Reader::new(place))? {
        items.push(item);
    }
    Ok(items)
}

/// Waits.
impl Form for Vec<Duration> {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a list of times, such as [\"10ms\", \"1s\"]")
    }

    fn list<'de, A: SeqAccess<'de>>(place: Place<'_>, list: A) -> Result<Self, A::Error> {
        items(place, list)
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter().map(Written))
    }
}

/// None of them is the same as off.
impl Form for BTreeSet<FailureKind> {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a list of kinds of failure, such as [\"validation\"]; or \"off\"")
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        match value {
            Unexpected::Str("off") | Unexpected::Bool(false) => Some(Self::new()),
            _ => None,
        }
    }

    fn list<'de, A: SeqAccess<'de>>(place: Place<'_>, list: A) -> Result<Self, A::Error> {
        items(place, list).map(Self::from_iter)
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter().map(Written))
    }
}

impl Form for GrpcCodes {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a list of gRPC codes, such as [\"UNAVAILABLE\"]")
    }

    fn list<'de, A: SeqAccess<'de>>(place: Place<'_>, list: A) -> Result<Self, A::Error> {
        items::<GrpcCode, _>(place, list).map(Self::from_iter)
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter().map(GrpcCode::as_str))
    }
}

impl Form for GrpcCode {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("of gRPC codes, such as UNAVAILABLE or 14")
    }

    /// By its word or its number, as a gRPC service configuration has it.
    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        match value {
            Unexpected::Str(word) => word.parse().ok(),
            Unexpected::Unsigned(number) => Self::from_number(number),
            _ => None,
        }
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}
