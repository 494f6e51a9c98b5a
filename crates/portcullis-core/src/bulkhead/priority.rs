//! What a call asks of a bulkhead.

use std::{error::Error, fmt, str::FromStr};

/// How many classes there are.
pub const CLASSES: usize = 5;

/// How much a call matters. Classes only matter where a bulkhead serves by them
/// ([`Order::Priority`](super::Order::Priority)) or keeps permits for the higher ones
/// ([`Config::reserved`](super::Config::reserved)).
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::bulkhead::Priority;
///
/// assert!(Priority::High > Priority::default());
/// assert_eq!("lowest".parse(), Ok(Priority::Lowest));
/// assert_eq!("3".parse(), Ok(Priority::High));
/// assert!("urgent".parse::<Priority>().is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// What nobody misses: prefetching, crawlers.
    Lowest,
    /// What can be done later: batches, reports.
    Low,
    /// Everything that says nothing.
    #[default]
    Normal,
    /// What somebody waits for.
    High,
    /// What must go through: payments, health checks.
    Highest,
}

impl Priority {
    /// All of them, the lowest first.
    pub const ALL: [Self; CLASSES] = [Self::Lowest, Self::Low, Self::Normal, Self::High, Self::Highest];

    /// The class's word, as it stands in headers and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lowest => "lowest",
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Highest => "highest",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No class is called that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownPriority;

impl fmt::Display for UnknownPriority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a priority is lowest, low, normal, high or highest, or 0 to 4")
    }
}

impl Error for UnknownPriority {}

impl FromStr for Priority {
    type Err = UnknownPriority;

    /// By its word, in any case, or its number from 0, the lowest, to 4.
    fn from_str(word: &str) -> Result<Self, UnknownPriority> {
        let is = |class: &Self| {
            word.eq_ignore_ascii_case(class.as_str()) || word.as_bytes() == [b'0' + *class as u8]
        };
        Self::ALL.into_iter().find(is).ok_or(UnknownPriority)
    }
}

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
