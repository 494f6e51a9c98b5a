//! Why a call was not made again.

use std::fmt;

/// Why a failed call was not made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stop {
    /// It may have been processed and is not idempotent, or it would fail again in the same way.
    NotRetryable,
    /// All attempts were made.
    Exhausted,
    /// The budget was spent.
    Budget,
    /// The next attempt would have come too late.
    Deadline,
    /// The request could not be sent a second time.
    NotReplayable,
    /// The dependency asked not to be called again.
    Pushback,
    /// The policy is in a mode that only counts: it would have been made again, if the budget had allowed it.
    Shadow,
    /// The policy is disabled; this is not recorded.
    Disabled,
}

impl Stop {
    /// Every reason, in the order of its number.
    pub const ALL: [Self; 8] = [
        Self::NotRetryable,
        Self::Exhausted,
        Self::Budget,
        Self::Deadline,
        Self::NotReplayable,
        Self::Pushback,
        Self::Shadow,
        Self::Disabled,
    ];

    /// The reason's word, as it stands in metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotRetryable => "not_retryable",
            Self::Exhausted => "exhausted",
            Self::Budget => "budget",
            Self::Deadline => "deadline",
            Self::NotReplayable => "not_replayable",
            Self::Pushback => "pushback",
            Self::Shadow => "shadow",
            Self::Disabled => "disabled",
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotRetryable => "it is not safe, or of no use, to try again",
            Self::Exhausted => "all attempts were made",
            Self::Budget => "the budget is spent",
            Self::Deadline => "there is no time left",
            Self::NotReplayable => "the request cannot be sent again",
            Self::Pushback => "the dependency asked not to be called again",
            Self::Shadow => "retries are only counted",
            Self::Disabled => "nothing is retried",
        })
    }
}
