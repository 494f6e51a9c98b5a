//! One admitted call.

use std::fmt;

use portcullis_core::{Outcome, Verdict, breaker::Admission};

use super::policy::Shared;
use crate::{
    Ticket, clock,
    shard::{self, Pinned},
};

/// A breaker's permission for one call. Dropped unsettled, it counts as abandoned.
#[must_use = "dropped unsettled, it counts as abandoned"]
pub struct BreakerTicket {
    shared: Pinned<Shared>,
    admission: Option<Admission>,
}

impl BreakerTicket {
    #[inline]
    pub(super) fn new(shared: Pinned<Shared>, admission: Admission) -> Self {
        Self { shared, admission: Some(admission) }
    }

    /// Whether this call is a probe of a half-open breaker.
    pub fn is_probe(&self) -> bool {
        self.admission.as_ref().is_some_and(Admission::is_probe)
    }

    #[inline]
    fn end(&mut self, outcome: Outcome) {
        if let Some(admission) = self.admission.take() {
            self.shared.machine.settle(shard::current(), admission, outcome, clock::now);
        }
    }
}

impl Ticket for BreakerTicket {
    #[inline]
    fn settle(&mut self, verdict: Verdict) {
        self.end(verdict.into());
    }
}

impl Drop for BreakerTicket {
    #[inline]
    fn drop(&mut self) {
        self.end(Outcome::Abandoned);
    }
}

impl fmt::Debug for BreakerTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BreakerTicket")
            .field("breaker", &self.shared.name)
            .field("admission", &self.admission)
            .finish()
    }
}
