//! One call in flight.

use std::fmt;

use portcullis_core::{Verdict, drain::Place};

use super::state::Shared;
use crate::{Ticket, shard::Pinned};

/// A call that is in flight until this is dropped. How it ended is nothing to the drain.
#[must_use = "dropped, the call is no longer in flight"]
pub struct DrainTicket {
    shared: Pinned<Shared>,
    place: Option<Place>,
}

impl DrainTicket {
    #[inline(always)]
    pub(super) fn new(shared: Pinned<Shared>, place: Option<Place>) -> Self {
        Self { shared, place }
    }

    /// Whether answers should say that their connection ends with them: the end of the server has begun.
    #[inline(always)]
    pub(super) fn is_late(&self) -> bool {
        !self.shared.is_serving()
    }
}

impl Ticket for DrainTicket {
    #[inline(always)]
    fn settle(&mut self, _: Verdict) {}

    #[inline(always)]
    fn heeds(&self) -> bool {
        false
    }
}

impl Drop for DrainTicket {
    #[inline]
    fn drop(&mut self) {
        self.shared.leave(self.shared.shard(), self.place);
    }
}

impl fmt::Debug for DrainTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DrainTicket").field("drain", self.shared.name()).finish_non_exhaustive()
    }
}
