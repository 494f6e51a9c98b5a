//! How much a call matters.

use std::{error::Error, fmt, str::FromStr};

/// How much a call matters. That makes a difference where a bulkhead serves by it
/// ([`Order::Priority`](crate::bulkhead::Order::Priority)) or keeps permits for those who matter more
/// ([`Config::reserved`](crate::bulkhead::Config::reserved)), and where [load is shed](crate::shed), which refuses those
/// first who matter less.
///
/// ```
/// # extern crate portcullis_core as portcullis;
/// use portcullis::Priority;
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
    /// How many there are.
    pub const COUNT: usize = 5;

    /// All of them, the lowest first.
    pub const ALL: [Self; Self::COUNT] = [Self::Lowest, Self::Low, Self::Normal, Self::High, Self::Highest];

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
