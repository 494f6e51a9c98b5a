//! One call in flight.

use std::{
    fmt,
    task::{Context, Poll},
};

use portcullis_core::{Rejection, Verdict};

use super::policy::Shared;
use crate::{
    Ticket,
    shard::Pinned,
    turn::{Hold, Wait},
};

/// A call that was let in; it counts as in flight until this is dropped. How the call ended is nothing to it.
#[must_use = "dropped, the call is no longer in flight"]
pub struct ShedTicket {
    shared: Pinned<Shared>,
    /// Whether the call is in flight; one that is exempt is not.
    counted: bool,
}

impl ShedTicket {
    pub(super) fn exempt(shared: Pinned<Shared>) -> Self {
        Self { shared, counted: false }
    }

    /// Whether the call counts as in flight; an exempt one does not.
    pub fn is_counted(&self) -> bool {
        self.counted
    }
}

/// A ticket in a future, which takes it out when the call is over. A future that is dropped before does it by
/// code that stands apart: all futures around it contain what it would be.
pub(super) struct Held {
    /// `None` for a call that is exempt.
    shared: Option<Pinned<Shared>>,
}

impl Held {
    #[inline(always)]
    pub(super) fn new(shared: Pinned<Shared>) -> Self {
        Self { shared: Some(shared) }
    }

    pub(super) fn exempt() -> Self {
        Self { shared: None }
    }
}

impl Hold for Held {
    type Ticket = ShedTicket;

    #[inline(always)]
    fn take(&mut self) -> Option<ShedTicket> {
        self.shared.take().map(|shared| ShedTicket { shared, counted: true })
    }
}

/// A call that was let in, and waits only for the inner service.
pub(super) struct Admitted(pub(super) Option<Held>);

impl Wait for Admitted {
    type Held = Held;

    fn poll_turn(&mut self, _: &mut Context<'_>) -> Poll<Result<Held, Rejection>> {
        match self.0.take() {
            Some(held) => Poll::Ready(Ok(held)),
            None => Poll::Pending, // polled after it was ready
        }
    }
}

impl Drop for Held {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            abandon(shared);
        }
    }
}

#[cold]
#[inline(never)]
fn abandon(shared: Pinned<Shared>) {
    drop(ShedTicket { shared, counted: true });
}

impl Ticket for ShedTicket {
    #[inline(always)]
    fn settle(&mut self, _: Verdict) {}

    #[inline(always)]
    fn heeds(&self) -> bool {
        false
    }
}

impl Drop for ShedTicket {
    #[inline(always)]
    fn drop(&mut self) {
        if self.counted {
            self.shared.shedder.leave();
        }
    }
}

impl fmt::Debug for ShedTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShedTicket")
            .field("load_shed", self.shared.name())
            .field("counted", &self.counted)
            .finish()
    }
}
