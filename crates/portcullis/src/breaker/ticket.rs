//! One admitted call.

use std::fmt;

use portcullis_core::{
    Failure, Outcome, Verdict,
    breaker::{Admission, Tally},
};

use super::policy::Shared;
use crate::{Ticket, shard::Pinned};

/// A breaker's permission for one call. Dropped unsettled, it counts as abandoned.
#[must_use = "dropped unsettled, it counts as abandoned"]
pub struct BreakerTicket {
    /// `None` when the call has been settled.
    shared: Option<Pinned<Shared, Tally>>,
    admission: Admission,
}

impl BreakerTicket {
    #[inline]
    pub(super) fn new(shared: Pinned<Shared, Tally>, admission: Admission) -> Self {
        Self { shared: Some(shared), admission }
    }

    /// Whether this call is a probe of a half-open breaker, and has not been settled.
    pub fn is_probe(&self) -> bool {
        self.shared.is_some() && self.admission.is_probe()
    }
}

/// What ends a call in any other way than the short one takes all by value, in registers: nothing of a ticket
/// must be in memory for it.
#[cold]
#[inline(never)]
fn abandon(shared: Pinned<Shared, Tally>, admission: Admission) {
    end(&shared, admission, Outcome::Abandoned);
}

/// A success that does not go the short way.
#[inline(never)]
fn succeed(shared: Pinned<Shared, Tally>, admission: Admission) {
    end(&shared, admission, Outcome::Success);
}

#[inline(never)]
fn settle(shared: Pinned<Shared, Tally>, admission: Admission, verdict: Verdict) {
    match verdict {
        // Nobody said when to come back: nothing matters but its kind.
        Verdict::Failure(Failure { kind, retry_after: None, .. }) => {
            let around = || (shared.shard(), shared.surroundings.world());
            shared.machine.fail_on(shared.local(), &admission, kind, around);
        }
        other => end(&shared, admission, other.into()),
    }
}

#[cold]
#[inline(never)]
fn end(shared: &Pinned<Shared, Tally>, admission: Admission, outcome: Outcome) {
    shared.machine.settle(shared.shard(), admission, outcome, &shared.surroundings.world());
}

impl Ticket for BreakerTicket {
    #[inline(always)]
    fn settle(&mut self, verdict: Verdict) {
        let Some(shared) = self.shared.take() else { return };
        let admission = self.admission.clone();
        match verdict {
            Verdict::Success => {
                if !shared.local().succeed(&admission, &shared.surroundings.world()) {
                    succeed(shared, admission);
                }
            }
            other => settle(shared, admission, other),
        }
    }
}

impl Drop for BreakerTicket {
    #[inline]
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            abandon(shared, self.admission.clone());
        }
    }
}

impl fmt::Debug for BreakerTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerTicket")
            .field("breaker", &self.shared.as_ref().map(|shared| &shared.surroundings.name))
            .field("admission", &self.admission)
            .finish()
    }
}
