//! A policy at a moment.

use portcullis_core::{Name, PolicyKind, health::Level};

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
