//! What is known of a call when it comes.

use std::time::Duration;

use crate::Priority;

/// What a call says of itself when it comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// How much it matters (default [`Priority::Normal`]).
    pub priority: Priority,
    /// A number for whom it is made for, if that is known; any will do, as long as one user has always the
    /// same. Of a class that is shed in part, users are then served or refused as a whole, and not every
    /// tenth call of each.
    pub user: Option<u64>,
    /// How long it has waited before it came here, if that is known.
    pub waited: Option<Duration>,
    /// Whether it is neither refused nor counted, as health probes should be.
    pub exempt: bool,
}

impl Arrival {
    /// One that says nothing.
    pub const PLAIN: Self = Self::of(Priority::Normal);

    /// One of which nothing but its class is known.
    pub const fn of(priority: Priority) -> Self {
        Self { priority, user: None, waited: None, exempt: false }
    }
}
