//! What only a call has of which an attempt failed.

use std::{pin::Pin, time::Duration};

use portcullis_core::retry::Loan;
use tokio::time::Sleep;

use super::Failures;

/// How the attempts of a call went, and what there is of the next. How many there were is in its marks.
#[derive(Default)]
pub(super) struct Trouble {
    pub(super) failures: Failures,
    /// What is to be given back, as a mark says.
    pub(super) loan: Option<Loan>,
    /// The waits since the first, or since the dependency asked for one.
    pub(super) waits: u32,
    /// The backoff before the last one, without what was asked for.
    pub(super) previous: Nanos,
    /// What was left of the call's time when the next attempt was decided on.
    pub(super) left: Nanos,
    /// What is waited for: the next attempt's time, as a mark says, or else the end of the call's.
    pub(super) timer: Option<Pin<Box<Sleep>>>,
}

/// A duration of centuries at most, in one word.
#[derive(Clone, Copy, Default)]
pub(super) struct Nanos(u64);

impl From<Duration> for Nanos {
    fn from(duration: Duration) -> Self {
        Self(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<Nanos> for Duration {
    fn from(Nanos(nanos): Nanos) -> Self {
        Self::from_nanos(nanos)
    }
}
