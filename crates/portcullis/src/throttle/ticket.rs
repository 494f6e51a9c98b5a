//! One call that was let through.

use std::fmt;

use portcullis_core::{Verdict, throttle::Ended};

use super::policy::Shared;
use crate::{Ticket, clock, shard::Pinned};

/// A call that a throttle has let through. Dropped unsettled, it is as if it had not been made.
#[must_use = "dropped unsettled, it counts as not made"]
pub struct ThrottleTicket {
    /// `None` when the call has been settled, or nobody wants to know.
    shared: Option<Pinned<Shared>>,
    /// The dependency has answered, and only the end will tell how.
    answered: bool,
}

impl ThrottleTicket {
    #[inline(always)]
    pub(super) fn new(shared: Pinned<Shared>) -> Self {
        Self { shared: Some(shared), answered: false }
    }

    /// Of no throttle, or one that is disabled.
    pub(super) fn of_nothing() -> Self {
        Self { shared: None, answered: false }
    }
}

#[cold]
#[inline(never)]
fn end(shared: Pinned<Shared>, answered: bool, verdict: Verdict) {
    let throttler = &shared.throttler;
    let ended = match verdict {
        Verdict::Ignored => Ended::Ignored,
        Verdict::Failure(failure) if throttler.refuses(failure.kind) => Ended::Refused,
        Verdict::Failure(_) | Verdict::Success => Ended::Accepted,
    };
    if answered {
        throttler.settle_answered(shared.shard(), ended, clock::coarse);
    } else {
        throttler.settle(shared.shard(), ended, clock::coarse);
    }
}

impl Ticket for ThrottleTicket {
    #[inline(always)]
    fn settle(&mut self, verdict: Verdict) {
        let Some(shared) = self.shared.take() else { return };
        if verdict == Verdict::Success && !self.answered {
            shared.throttler.settle(shared.shard(), Ended::Accepted, clock::coarse);
        } else {
            end(shared, self.answered, verdict);
        }
    }

    /// The head is enough: who answers has taken the request, however long the answer goes on. And who has answered
    /// does not hang.
    fn answered(&mut self, verdict: Option<Verdict>) {
        if let Some(verdict) = verdict {
            return self.settle(verdict);
        }
        if let Some(shared) = self.shared.as_ref().filter(|_| !self.answered) {
            shared.throttler.answer(shared.shard(), clock::coarse);
            self.answered = true;
        }
    }
}

impl Drop for ThrottleTicket {
    #[inline]
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            end(shared, self.answered, Verdict::Ignored);
        }
    }
}

impl fmt::Debug for ThrottleTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThrottleTicket")
            .field("throttle", &self.shared.as_ref().map(|shared| &shared.name))
            .field("answered", &self.answered)
            .finish()
    }
}
