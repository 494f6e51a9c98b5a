//! An adaptive limit at a moment.

use std::time::Duration;

use crate::Mode;

/// An adaptive limit at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The limit.
    pub limit: u32,
    /// Calls in flight. More than the limit after that was lowered, or when calls passed that would have been
    /// refused.
    pub in_flight: u32,
    /// How long a call takes that waits for no other, as far as that is known.
    pub baseline: Option<Duration>,
    /// How long calls took in the last window, without the slowest.
    pub latency: Option<Duration>,
    /// Whether the limit is lowered for a moment, to see how long calls take then.
    pub is_probing: bool,
    /// Windows since it was built.
    pub windows: u64,
    /// How often the limit was raised, but for the ends of looks.
    pub increases: u64,
    /// How often it was lowered, but for looks.
    pub decreases: u64,
    /// How often it was lowered for a look.
    pub probes: u64,
    /// Whether calls are refused, or only counted.
    pub mode: Mode,
}

/// The limit was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it was.
    pub from: u32,
    /// What it is.
    pub to: u32,
}
