//! One admitted call.

use std::fmt;

use portcullis_core::{
    Outcome, Verdict,
    breaker::{Admission, Tally},
};

use super::policy::Shared;
use crate::{Ticket, shard::Pinned};

/// A breaker's permission for one call. Dropped unsettled, it counts as abandoned.
#[must_use = "dropped unsettled, it counts as abandoned"]
pub struct BreakerTicket(Option<Open>);

/// A call whose end is not known yet.
struct Open {
    shared: Pinned<Shared, Tally>,
    admission: Admission,
}

impl BreakerTicket {
    #[inline]
    pub(super) fn new(shared: Pinned<Shared, Tally>, admission: Admission) -> Self {
        Self(Some(Open { shared, admission }))
    }

    /// Whether this call is a probe of a half-open breaker, and has not been settled.
    pub fn is_probe(&self) -> bool {
        self.0.as_ref().is_some_and(|open| open.admission.is_probe())
    }
}

impl Open {
    /// Counts the success of a call of a closed breaker; `false` when it is anything else.
    #[inline(always)]
    fn counts(&self, verdict: &Verdict) -> bool {
        // The kind of the admission tells, too, that there is one: one look.
        self.admission.is_plain()
            && matches!(verdict, Verdict::Success)
            && self.shared.local().succeed(&self.admission, &self.shared.surroundings.world())
    }

    /// Everything else.
    #[inline(never)]
    fn settle(&self, verdict: &Verdict) {
        let Self { shared, admission } = self;
        match verdict {
            Verdict::Failure(failure) => {
                shared.machine.fail(shared.shard(), admission, failure, &shared.surroundings.world());
            }
            other => end(shared, admission.clone(), (*other).into()),
        }
    }
}

/// By value, so that nothing is left to be dropped where this is called.
#[cold]
#[inline(never)]
fn abandon(shared: Pinned<Shared, Tally>, admission: Admission) {
    end(&shared, admission, Outcome::Abandoned);
}

#[cold]
#[inline(never)]
fn end(shared: &Pinned<Shared, Tally>, admission: Admission, outcome: Outcome) {
    shared.machine.settle(shared.shard(), admission, outcome, &shared.surroundings.world());
}

impl Ticket for BreakerTicket {
    #[inline(always)]
    fn settle(&mut self, verdict: Verdict) {
        match &self.0 {
            Some(open) if open.counts(&verdict) => self.0 = None,
            Some(open) => {
                open.settle(&verdict);
                self.0 = None;
            }
            None => {}
        }
    }
}

impl Drop for BreakerTicket {
    #[inline]
    fn drop(&mut self) {
        if let Some(Open { shared, admission }) = self.0.take() {
            abandon(shared, admission);
        }
    }
}

impl fmt::Debug for BreakerTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.0.as_ref();
        f.debug_struct("BreakerTicket")
            .field("breaker", &open.map(|open| &open.shared.surroundings.name))
            .field("admission", &open.map(|open| &open.admission))
            .finish()
    }
}
