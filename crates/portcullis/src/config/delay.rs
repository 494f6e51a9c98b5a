//! How the delay of a hedge stands in a file.

use std::{
    fmt::{self, Formatter},
    time::Duration,
};

use portcullis_core::hedge::{Delay, Percentile};
use serde::{
    Serializer,
    de::{MapAccess, Unexpected},
};

use super::{
    fields::{read_fields, write_fields},
    form::Form,
    place::Place,
};

/// A time, or what follows how long calls take.
impl Form for Delay {
    fn expected(f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a table, such as { quantile = 0.95 }; or ")?;
        Duration::expected(f)
    }

    fn scalar(value: Unexpected<'_>) -> Option<Self> {
        Duration::scalar(value).map(Self::Fixed)
    }

    fn table<'de, A: MapAccess<'de>>(place: Place<'_>, mut map: A) -> Result<Self, A::Error> {
        read_fields!(map, place, { quantile, at_least, at_most, initial });
        let usual = Percentile::default();
        Ok(Self::Percentile(Percentile {
            quantile: quantile.unwrap_or(usual.quantile),
            at_least: at_least.unwrap_or(usual.at_least),
            at_most: at_most.unwrap_or(usual.at_most),
            initial: initial.unwrap_or(usual.initial),
        }))
    }

    fn can_be_written(&self) -> bool {
        matches!(self, Self::Fixed(_) | Self::Percentile(_))
    }

    fn write<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let percentile = match self {
            Self::Fixed(delay) => return delay.write(to),
            Self::Percentile(percentile) => *percentile,
            // Nobody asks for it.
            _ => Percentile::default(),
        };
        let Percentile { quantile, at_least, at_most, initial } = percentile;
        let quantile = &Some(quantile);
        let [at_least, at_most, initial] = &[at_least, at_most, initial].map(Some);
        write_fields!(to, "Percentile", { quantile, at_least, at_most, initial })
    }
}
