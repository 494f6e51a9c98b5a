//! What a call asks of a bulkhead.

use crate::Priority;

/// What one call asks of a bulkhead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// How many permits it takes (default 1, which is what 0 is taken for too). A call that asks for more than
    /// its class can have takes all of those, and so runs alone.
    pub weight: u32,
    /// How much it matters (default [`Priority::Normal`]).
    pub priority: Priority,
}

impl Demand {
    /// One permit for a call of normal priority.
    pub const ONE: Self = Self { weight: 1, priority: Priority::Normal };

    /// So many permits for a call of normal priority.
    pub const fn of(weight: u32) -> Self {
        Self { weight, ..Self::ONE }
    }
}

impl Default for Demand {
    fn default() -> Self {
        Self::ONE
    }
}
