//! How far the end of a server has come.

use std::fmt;

/// How far the end of a server has come. It only goes forward.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// It has not begun.
    #[default]
    Serving,
    /// The server says that it wants no more traffic, and still takes what comes.
    Announced,
    /// New work is refused; what is in flight goes on.
    Refusing,
    /// Nothing is in flight any more, or nobody waits for it any longer.
    Ended,
}

impl Phase {
    /// Every phase, in their order.
    pub const ALL: [Self; 4] = [Self::Serving, Self::Announced, Self::Refusing, Self::Ended];

    /// The phase's word, as it stands in metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Announced => "announced",
            Self::Refusing => "refusing",
            Self::Ended => "ended",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why the end of a server was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// Everything that was in flight has finished.
    Finished,
    /// The longest time was over that is waited for it.
    Grace,
    /// Somebody said so.
    Forced,
}

impl End {
    /// One word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Grace => "grace",
            Self::Forced => "forced",
        }
    }
}
