//! A policy at a moment.

use std::time::Duration;

use portcullis_core::{
    Name, PolicyKind,
    health::{Level, Part},
};

/// A policy at a moment, in the words of the health document.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The policy.
    pub name: Name,
    /// Its kind.
    pub kind: PolicyKind,
    /// One word for its state; `"active"` for policies that have no states.
    pub state: &'static str,
    /// What that means for the health of the service.
    pub level: Level,
    /// Measured values by name; a time ends in its unit.
    pub values: Vec<(&'static str, Value)>,
}

impl Snapshot {
    /// Whether the service cannot work without it, as far as it says so: checks and probes do.
    pub fn is_critical(&self) -> bool {
        self.values.contains(&("critical", Value::Flag(true)))
    }

    /// What it is to the [rules](portcullis_core::health::Rules) of the whole.
    pub fn part(&self) -> Part<'_> {
        Part { name: &self.name, kind: self.kind, level: self.level, critical: self.is_critical() }
    }
}

/// Measured values by name.
pub(crate) type Values = Vec<(&'static str, Value)>;

/// A time in milliseconds, to the microsecond: what is finer is noise, and many digits.
pub(crate) fn millis(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e3
}

/// A measured value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A count, or a time in the unit of its name.
    Count(u64),
    /// A share from 0 to 1, or another measure.
    Ratio(f64),
    /// A word.
    Word(&'static str),
    /// Text, such as an error's.
    Text(String),
    /// Yes or no.
    Flag(bool),
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<u64> for Value {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<u32> for Value {
    fn from(count: u32) -> Self {
        Self::Count(count.into())
    }
}

impl From<f64> for Value {
    fn from(ratio: f64) -> Self {
        Self::Ratio(ratio)
    }
}

impl From<&'static str> for Value {
    fn from(word: &'static str) -> Self {
        Self::Word(word)
    }
}
