//! What came of a restore.

use std::{fmt, time::Duration};

/// A policy, as it was written down.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Which {
    /// The word of its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} '{}'", self.kind, self.name)
    }
}

/// What came of a [restore](crate::Registry::restore).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restored {
    /// How long ago the state was saved; `None`, when there was none.
    pub age: Option<Duration>,
    /// Policies that went on with something.
    pub restored: Vec<Which>,
    /// Policies that went on with nothing: all of it was too old, or they had seen something of their own.
    pub skipped: Vec<Which>,
    /// Policies of which there is none here.
    pub unknown: Vec<Which>,
}

impl fmt::Display for Restored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(age) = self.age else { return f.write_str("no state was saved") };
        let Self { restored, skipped, unknown, .. } = self;
        write!(f, "{} policies restored from {:.1} s ago", restored.len(), age.as_secs_f64())?;
        for (what, which) in [("with nothing to restore", skipped), ("unknown", unknown)] {
            for (n, one) in which.iter().enumerate() {
                let before = if n == 0 { format!("; {what}: ") } else { ", ".to_owned() };
                write!(f, "{before}{one}")?;
            }
        }
        Ok(())
    }
}
