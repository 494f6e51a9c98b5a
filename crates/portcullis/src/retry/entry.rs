//! Where a call begins.

use portcullis_core::Time;

use super::{
    RetryCall, RetryPolicy,
    flags::{Flags, Marks},
    policy::Shared,
};
use crate::{clock, protocol::Attempt, shard::Pinned};

impl RetryPolicy {
    /// Begins a call.
    pub fn begin(&self) -> RetryCall {
        let entry = Entry { shared: self.shared.pin(), flags: self.shared.flags.get() };
        entry.begin(Begin { above: Attempt::FIRST, idempotent: false, deadline: None })
    }

    /// Where a call begins, unless it is as if there were no policy.
    #[inline(always)]
    pub(super) fn enter(&self) -> Option<Entry> {
        let flags = self.shared.flags.get();
        (!flags.is_disabled()).then(|| Entry { shared: self.shared.pin(), flags })
    }
}

/// A policy that was picked for a call.
pub(super) struct Entry {
    shared: Pinned<Shared>,
    flags: Flags,
}

impl Entry {
    /// Begins the call.
    #[inline(always)]
    pub(super) fn begin(self, begin: Begin) -> RetryCall {
        let Self { shared, flags } = self;
        let mut begin = begin;
        // Who retries above has counted the call already.
        let (counted, outcomes) = shared.budget.enter(shared.shard(), !begin.above.is_retry());
        let marks = if flags.are_none() && !counted && !outcomes {
            Marks::NONE
        } else {
            let end = if flags.is_timed() { end_of(&shared) } else { None };
            begin.deadline = sooner(begin.deadline, end);
            Marks::of(flags, counted, outcomes)
        };
        RetryCall::new(shared, begin, marks)
    }
}

/// What is known of a call when it begins.
pub(super) struct Begin {
    /// The attempt of a retry above that it is.
    pub(super) above: Attempt,
    pub(super) idempotent: bool,
    pub(super) deadline: Option<Time>,
}

/// The end that the policy itself sets.
#[cold]
#[inline(never)]
fn end_of(policy: &Shared) -> Option<Time> {
    policy.config.load().total_time.map(|total| clock::now() + total)
}

pub(super) fn sooner(one: Option<Time>, other: Option<Time>) -> Option<Time> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
