//! One admitted call.

use std::fmt;

use portcullis_core::{Outcome, Verdict, breaker::Admission};

use super::policy::Shared;
use crate::{Ticket, clock, shard::Pinned};

/// A breaker's permission for one call. Dropped unsettled, it counts as abandoned.
#[must_use = "dropped unsettled, it counts as abandoned"]
pub struct BreakerTicket(Option<Open>);

/// A call whose end is not known yet.
struct Open {
    shared: Pinned<Shared>,
    admission: Admission,
}

impl BreakerTicket {
    #[inline]
    pub(super) fn new(shared: Pinned<Shared>, admission: Admission) -> Self {
        Self(Some(Open { shared, admission }))
    }

    /// Whether this call is a probe of a half-open breaker, and has not been settled.
    pub fn is_probe(&self) -> bool {
        self.0.as_ref().is_some_and(|open| open.admission.is_probe())
    }
}

impl Open {
    #[cold]
    #[inline(never)]
    fn end(&self, outcome: Outcome) {
        self.shared.machine.settle(self.shared.shard(), self.admission.clone(), outcome, clock::now);
    }
}

impl Ticket for BreakerTicket {
    #[inline(always)]
    fn settle(&mut self, verdict: Verdict) {
        let Some(open) = &self.0 else { return };
        let succeeded =
            verdict == Verdict::Success && open.shared.machine.succeed(open.shared.shard(), &open.admission);
        if !succeeded {
            open.end(verdict.into());
        }
        self.0 = None;
    }
}

impl Drop for BreakerTicket {
    #[inline]
    fn drop(&mut self) {
        if let Some(open) = &self.0 {
            open.end(Outcome::Abandoned);
        }
    }
}

impl fmt::Debug for BreakerTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.0.as_ref();
        f.debug_struct("BreakerTicket")
            .field("breaker", &open.map(|open| &open.shared.name))
            .field("admission", &open.map(|open| &open.admission))
            .finish()
    }
}
