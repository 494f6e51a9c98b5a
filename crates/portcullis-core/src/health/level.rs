//! How well something is.

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
    /// The level's word, as it stands in metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Warning => "warning",
            Self::Degraded => "degraded",
            Self::Critical => "critical",
        }
    }

    /// The gravest of several; healthy when there is none.
    pub fn worst(levels: impl IntoIterator<Item = Self>) -> Self {
        levels.into_iter().max().unwrap_or_default()
    }
}
