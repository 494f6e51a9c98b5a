//! How well something is.

use std::fmt;

/// Four levels, from well to not; the order is that of gravity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Everything works.
    #[default]
    Healthy,
    /// Works, and somebody should look at it.
    Warning,
    /// Part of it does not work.
    Degraded,
    /// It does not work.
    Critical,
}

impl Level {
    /// All of them, the gravest last.
    pub const ALL: [Self; 4] = [Self::Healthy, Self::Warning, Self::Degraded, Self::Critical];

    /// The level's word, as it stands in metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Warning => "warning",
            Self::Degraded => "degraded",
            Self::Critical => "critical",
        }
    }

    /// The level's number in metrics: 0 healthy, 1 warning, 2 degraded, 3 critical. It never changes.
    pub const fn number(self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Warning => 1,
            Self::Degraded => 2,
            Self::Critical => 3,
        }
    }

    /// The gravest of several; healthy when there is none.
    pub fn worst(levels: impl IntoIterator<Item = Self>) -> Self {
        levels.into_iter().max().unwrap_or_default()
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
