//! A pipeline, told to people.

use std::fmt;

use super::{Amplification, Latency, Never, Part, Place, Side, amplification, latency, never};
use crate::{Mode, Name};

/// What a pipeline is and does.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Its name.
    pub name: Name,
    /// Its side.
    pub side: Side,
    /// Its policies, from the outside to the inside.
    pub order: Vec<Step>,
    /// The longest that a call can take.
    pub latency: Latency,
    /// How many attempts calls can become.
    pub amplification: Amplification,
    /// What can never happen.
    pub never: Vec<Never>,
}

/// One policy of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its place.
    pub place: Place,
    /// Its name.
    pub name: Name,
    /// Its settings, in a few words.
    pub settings: String,
    /// Whether it does what they say.
    pub mode: Mode,
    /// Why it stands there.
    pub why: &'static str,
}

/// Explains a pipeline of these policies, which may be in any order.
pub fn explain(name: Name, side: Side, parts: &[Part]) -> Explanation {
    let mut order: Vec<_> = parts.iter().map(Step::of).collect();
    order.sort_by_key(|step| step.place);
    let (latency, amplification, never) = (latency(parts), amplification(parts), never(parts));
    Explanation { name, side, order, latency, amplification, never }
}

impl Step {
    fn of(part: &Part) -> Self {
        let (place, name, mode) = (part.place, part.name.clone(), part.facts.mode);
        Self { place, name, settings: part.facts.what.to_string(), mode, why: place.why() }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "pipeline '{}', {}, from the outside to the inside:", self.name, self.side)?;
        let width = self.order.iter().map(|step| step.place.as_str().len()).max().unwrap_or_default();
        for (n, step) in self.order.iter().enumerate() {
            write!(f, "{:>3}. {:<width$}  '{}'", n + 1, step.place, step.name)?;
            if !step.settings.is_empty() {
                write!(f, ": {}", step.settings)?;
            }
            match step.mode {
                Mode::Enforce => writeln!(f)?,
                Mode::EnforcePercent(share) => writeln!(f, " (of {share}% of calls)")?,
                mode => writeln!(f, " ({})", mode.as_str())?,
            }
        }
        writeln!(f, "longest call: {}", self.latency)?;
        write!(f, "attempts: {}", self.amplification)?;
        self.never.iter().try_for_each(|never| write!(f, "\nnever: {never}"))
    }
}
