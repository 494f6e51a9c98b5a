//! What happens to endpoints.

use std::{fmt, time::Duration};

use crate::Name;

/// Something that happened to an endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The endpoint.
    pub endpoint: Name,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    /// It gets no calls for a time.
    Ejected {
        /// Why.
        cause: Cause,
        /// For how long.
        time: Duration,
        /// Whether it is so indeed; `false` when it is only told, because of the mode.
        enforced: bool,
    },
    /// It gets calls again.
    Returned {
        /// Whether it had got none.
        enforced: bool,
    },
}

/// Why an endpoint was ejected.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Cause {
    /// So many failures in a row.
    Consecutive(u32),
    /// So many failures in a row without an answer, where these are counted apart.
    ConsecutiveLocal(u32),
    /// A success rate far below that of the others.
    SuccessRate {
        /// Its own, 0 to 1.
        rate: f64,
        /// The mean of all.
        mean: f64,
        /// What it had to be.
        threshold: f64,
    },
    /// So large a share of failures, 0 to 1.
    FailureShare(f64),
    /// Somebody said so.
    ByHand,
}

impl Cause {
    /// The words of all causes, in the order of [`index`](Self::index).
    pub const WORDS: [&'static str; 5] =
        ["consecutive", "consecutive_local", "success_rate", "failure_share", "by_hand"];

    /// Its place among [`WORDS`](Self::WORDS).
    pub const fn index(&self) -> usize {
        match self {
            Self::Consecutive(_) => 0,
            Self::ConsecutiveLocal(_) => 1,
            Self::SuccessRate { .. } => 2,
            Self::FailureShare(_) => 3,
            Self::ByHand => 4,
        }
    }

    /// One word for it, as it stands in metrics and JSON.
    pub const fn as_str(&self) -> &'static str {
        Self::WORDS[self.index()]
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Consecutive(failures) => write!(f, "{failures} failures in a row"),
            Self::ConsecutiveLocal(failures) => write!(f, "{failures} failures in a row without an answer"),
            Self::SuccessRate { rate, mean, threshold } => {
                write!(f, "success rate {rate:.3}, where {threshold:.3} is needed and {mean:.3} is the mean")
            }
            Self::FailureShare(share) => write!(f, "failure share {share:.3}"),
            Self::ByHand => f.write_str("by hand"),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = &self.endpoint;
        match self.what {
            What::Ejected { cause, time, enforced: true } => {
                write!(f, "ejected '{endpoint}' for {time:?}: {cause}")
            }
            What::Ejected { cause, time, enforced: false } => {
                write!(f, "would have ejected '{endpoint}' for {time:?}: {cause}")
            }
            What::Returned { enforced: true } => write!(f, "has '{endpoint}' back"),
            What::Returned { enforced: false } => write!(f, "would have '{endpoint}' back"),
        }
    }
}
