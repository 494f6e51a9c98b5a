//! Where a call begins.

use portcullis_core::{
    Time,
    retry::{Deposits, Interest},
};

use super::{RetryCall, RetryPolicy, flags::Marks, policy::Shared};
use crate::{clock, protocol::Attempt, shard::Here};

impl RetryPolicy {
    /// Begins a call.
    pub fn begin(&self) -> RetryCall {
        self.enter().begin(Begin { above: Attempt::FIRST, idempotent: false, deadline: None })
    }

    /// Where a call begins.
    #[inline(always)]
    pub(super) fn enter(&self) -> Entry<'_> {
        let here = self.shared.here();
        Entry { here, is_plain: here.value().flags.get().are_none() }
    }
}

/// A policy that was picked for a call.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    here: Here<'a, Shared, Deposits>,
    /// Whether its settings say nothing that every call must know.
    is_plain: bool,
}

impl Entry<'_> {
    /// Whether the call is to be made as if there were no policy.
    #[inline(always)]
    pub(super) fn is_bypassed(self) -> bool {
        !self.is_plain && is_disabled(self.here)
    }

    /// Begins the call.
    #[inline(always)]
    pub(super) fn begin(self, begin: Begin) -> RetryCall {
        let Self { here, is_plain } = self;
        let Begin { above, idempotent, deadline } = begin;
        let marks = Marks::of(Marks::IDEMPOTENT, idempotent).above(above.number().saturating_sub(1));
        let mut begun = Begun { marks, end: End::of(deadline) };
        // Who retries above has counted the call already.
        let is_plain = is_plain && !above.is_retry();
        if !is_plain || !here.local().count().is_none() {
            begun = apart(here, begun, is_plain || is_counted(here, above));
        }
        RetryCall::new(here.pin(), begun)
    }
}

/// Whether the call is to be made as if there were no policy.
#[cold]
#[inline(never)]
fn is_disabled(here: Here<'_, Shared, Deposits>) -> bool {
    here.value().flags.get().are_disabled()
}

/// Counts a call that is not a plain one, unless another layer has done so.
#[cold]
#[inline(never)]
fn is_counted(here: Here<'_, Shared, Deposits>, above: Attempt) -> bool {
    let is_counted = !here.value().flags.get().is_uncounted() && !above.is_retry();
    if is_counted {
        // What the budget wants to know of it is asked for below.
        let _ = here.local().count();
    }
    is_counted
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

/// Begins a call that may be apart from others; it was counted, or is not to be. In registers, so that the others
/// need not have in memory what this is given and gives back.
#[cold]
#[inline(never)]
fn apart(here: Here<'_, Shared, Deposits>, begun: Begun, is_counted: bool) -> Begun {
    let Begun { mut marks, end } = begun;
    let (shared, flags) = (here.value(), here.value().flags.get());
    let interest = is_counted.then(|| here.local().interest());
    let counted = interest.is_some_and(|interest| here.local().enter(interest));
    let outcomes = interest.map_or_else(|| shared.budget.counts_successes(), Interest::in_outcomes);
    marks.set(Marks::BY_CODE, flags.goes_by_code());
    marks.set(Marks::COUNTED, counted);
    marks.set(Marks::COUNTS_OUTCOMES, outcomes);
    let total = if flags.is_timed() { shared.config.load().total_time } else { None };
    let end = end.or(End::of(total.map(|total| clock::now() + total)));
    Begun { marks, end }
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
