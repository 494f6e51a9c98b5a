//! Where a call begins.

use portcullis_core::{
    Time,
    retry::{Deposits, Interest},
};

use super::{
    RetryCall, RetryPolicy,
    flags::{Flags, Marks},
    policy::Shared,
};
use crate::{
    clock,
    protocol::Attempt,
    shard::{Here, Pinned},
};

impl RetryPolicy {
    /// Begins a call.
    pub fn begin(&self) -> RetryCall {
        self.enter().begin(Begin { above: Attempt::FIRST, idempotent: false, deadline: None })
    }

    /// Where a call begins.
    #[inline(always)]
    pub(super) fn enter(&self) -> Entry<'_> {
        let here = self.shared.here();
        Entry { here, flags: here.value().flags.get() }
    }
}

/// A policy that was picked for a call.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    here: Here<'a, Shared, Deposits>,
    flags: Flags,
}

impl Entry<'_> {
    /// Whether the call is to be made as if there were no policy.
    #[inline(always)]
    pub(super) fn is_bypassed(self) -> bool {
        !self.flags.are_none() && self.flags.are_disabled()
    }

    /// Begins the call.
    #[inline(always)]
    pub(super) fn begin(self, begin: Begin) -> RetryCall {
        let Self { here, flags } = self;
        let Begin { above, idempotent, deadline } = begin;
        let marks = Marks::of(Marks::IDEMPOTENT, idempotent).above(above.number().saturating_sub(1));
        let begun = Begun { marks, end: End::of(deadline) };
        let shared = here.pin();
        // Who retries above has counted the call already.
        let (shared, begun) = if flags.are_none() && !above.is_retry() {
            let interest = shared.local().count();
            if interest.is_none() { (shared, begun) } else { apart(shared, begun, flags, Some(interest)) }
        } else {
            let is_counted = !flags.is_uncounted() && !above.is_retry();
            let interest = is_counted.then(|| shared.local().count());
            apart(shared, begun, flags, interest)
        };
        RetryCall::new(shared, begun)
    }
}

/// What is known of a call when it begins.
pub(super) struct Begin {
    /// The attempt of a retry above that it is.
    pub(super) above: Attempt,
    pub(super) idempotent: bool,
    pub(super) deadline: Option<Time>,
}

/// The same, with what the policy says of it.
#[derive(Clone, Copy)]
pub(super) struct Begun {
    pub(super) marks: Marks,
    pub(super) end: End,
}

/// Begins a call that may be apart from others; with what the budget wants to know of it, if it was counted here.
/// The policy is taken and given back, so that other calls need not have it in memory.
#[cold]
#[inline(never)]
fn apart(
    shared: Pinned<Shared, Deposits>,
    begun: Begun,
    flags: Flags,
    interest: Option<Interest>,
) -> (Pinned<Shared, Deposits>, Begun) {
    let Begun { mut marks, end } = begun;
    let counted = interest.is_some_and(|interest| shared.local().enter(interest));
    let outcomes = interest.map_or_else(|| shared.budget.counts_successes(), Interest::in_outcomes);
    marks.set(Marks::BY_CODE, flags.goes_by_code());
    marks.set(Marks::COUNTED, counted);
    marks.set(Marks::COUNTS_OUTCOMES, outcomes);
    let total = if flags.is_timed() { shared.config.load().total_time } else { None };
    let end = end.or(End::of(total.map(|total| clock::now() + total)));
    (shared, Begun { marks, end })
}

/// When nobody waits any more; in one word, for every call has it and few need it.
#[derive(Clone, Copy)]
pub(super) struct End(Time);

impl End {
    /// Never, for it takes five centuries.
    const NONE: Self = Self(Time::from_nanos(u64::MAX));

    #[inline(always)]
    pub(super) fn of(time: Option<Time>) -> Self {
        time.map_or(Self::NONE, Self)
    }

    /// The sooner one.
    #[inline(always)]
    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    #[inline(always)]
    pub(super) fn is_none(self) -> bool {
        self.0 == Self::NONE.0
    }

    pub(super) fn time(self) -> Option<Time> {
        (!self.is_none()).then_some(self.0)
    }
}
