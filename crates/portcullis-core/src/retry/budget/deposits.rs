//! Where the calls of a budget are counted.

use std::sync::Arc;

use super::{CONCURRENT, SHARE, THROTTLE, concurrent::Traffic};
use crate::sync::atomic::{
    AtomicU8, AtomicU64,
    Ordering::{Relaxed, Release},
};

/// Where some of the calls of a [`Budget`](super::Budget) are counted: one of its shards, for a thread that would
/// share a line with nobody. A cheap handle; clones count in the same place.
///
/// ```
/// use portcullis_core::retry::{Budget, BudgetConfig};
///
/// let budget = Budget::new(BudgetConfig::SHARE, 2)?;
/// let deposits = budget.deposits(1);
/// let interest = deposits.count();
/// assert!(interest.is_none(), "a share does not care how a call ends");
/// assert_eq!(budget.calls(), 1);
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Deposits(Arc<Shard>);

#[derive(Default)]
pub(super) struct Shard {
    calls: AtomicU64,
    /// The budget's kind, here so that who counts a call reads it from the line that is written anyway.
    kind: AtomicU8,
    traffic: Traffic,
    /// With the two counters of the `Arc` that is 128 bytes: what is written in one shard is that far from what is
    /// in any other, and so never on a line with it. An alignment would cost another 128, for those counters alone.
    _apart: [u64; 10],
}

/// What a budget wants to be told of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a call of which the end is to be told counts as in flight for ever without"]
pub struct Interest(u8);

impl Interest {
    /// Whether it wants to know nothing but that the call began.
    #[inline(always)]
    pub fn is_none(self) -> bool {
        self.0 == SHARE
    }

    /// Whether it wants to know how attempts end, also those that spent nothing of it.
    #[inline(always)]
    pub fn in_outcomes(self) -> bool {
        self.0 >= THROTTLE
    }
}

impl Deposits {
    pub(super) fn new() -> Self {
        Self(Arc::default())
    }

    pub(super) fn set(&self, kind: u8) {
        self.0.kind.store(kind, Release);
    }

    /// Counts a call (not a retry) that begins. If there is an interest, [`enter`](Self::enter) is to be asked.
    #[inline(always)]
    pub fn count(&self) -> Interest {
        self.0.calls.fetch_add(1, Relaxed);
        self.interest()
    }

    /// What the budget wants to be told of calls, for who has counted its own before.
    #[inline(always)]
    pub fn interest(&self) -> Interest {
        Interest(self.0.kind.load(Relaxed))
    }

    /// Whether the end of the call must be told by [`ended`](Self::ended): once then, and never otherwise.
    #[must_use = "a call that is not ended counts as in flight for ever"]
    pub fn enter(&self, interest: Interest) -> bool {
        let counted = interest.0 == CONCURRENT;
        if counted {
            self.0.traffic.begin();
        }
        counted
    }

    /// Counts the end of a call, however it ended.
    pub fn ended(&self) {
        self.0.traffic.end();
    }

    /// The calls that were counted here.
    #[inline(always)]
    pub(super) fn calls(&self) -> u64 {
        self.0.calls.load(Relaxed)
    }

    pub(super) fn traffic(&self) -> &Traffic {
        &self.0.traffic
    }
}

#[cfg(test)]
#[cfg(not(portcullis_loom))]
mod tests {
    use super::*;

    #[test]
    fn no_two_shards_share_a_line() {
        assert!(size_of::<Shard>() + 2 * size_of::<usize>() >= 128);
    }
}
