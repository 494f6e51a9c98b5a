//! A place in the limit.

use std::fmt;

use portcullis_core::{
    Time, Verdict,
    adaptive::{Change, Sample},
};

use super::policy::Shared;
use crate::{Ticket, clock, event::EventKind, shard::Pinned};

/// A place for one call in an adaptive limit, given back when it is dropped. Settled, it tells the limit how the call ended and how
/// long it took; dropped unsettled, the call was given up.
#[must_use = "dropped, it gives the place back"]
pub struct AdaptiveTicket {
    shared: Pinned<Shared>,
    started: Time,
    /// When the answer's head was there; the origin of time, before that.
    answered: Time,
    /// With this call, when it began; 0 while the limit is disabled.
    in_flight: u32,
    is_settled: bool,
}

impl AdaptiveTicket {
    #[inline(always)]
    pub(super) fn new(shared: Pinned<Shared>, in_flight: u32) -> Self {
        let started = clock::now();
        Self { shared, started, answered: Time::ORIGIN, in_flight, is_settled: false }
    }

    /// How many calls were in flight when this one began, with it; 0 while the limit is
    /// [disabled](crate::Mode::Disabled).
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Says that the answer is there, though it is not known yet what it is worth, or not all of it: from now on it
    /// does not count how long the call takes. Settling says the same, if nobody did before.
    #[inline(always)]
    pub fn answered(&mut self) {
        if self.answered == Time::ORIGIN {
            self.answered = clock::now();
        }
    }

    #[inline(always)]
    fn observe(&mut self, sample: Sample) {
        self.answered();
        let Self { shared, started, answered, in_flight, .. } = self;
        let change = shared.limiter.observe(shared.shard(), *started, *in_flight, sample, *answered);
        if let Some(change) = change {
            tell(shared, change);
        }
    }

    /// A call that did not succeed.
    #[inline(never)]
    fn settle_other(&mut self, verdict: Verdict) {
        let shared = &self.shared;
        let tally = shared.tally(shared.shard());
        tally.count(&verdict);
        self.observe(self.shared.limiter.judge(&verdict));
    }

    #[cold]
    #[inline(never)]
    fn abandon(&mut self) {
        self.shared.tally(self.shared.shard()).abandon();
        self.observe(Sample::Abandoned);
    }
}

#[cold]
#[inline(never)]
fn tell(shared: &Shared, Change { from, to }: Change) {
    shared.emitter.frequent(|| EventKind::LimitChanged { from, to });
}

impl Ticket for AdaptiveTicket {
    #[inline(always)]
    fn settle(&mut self, verdict: Verdict) {
        if std::mem::replace(&mut self.is_settled, true) {
            return;
        }
        if verdict == Verdict::Success {
            self.shared.tally(self.shared.shard()).succeed();
            self.observe(Sample::Success);
        } else {
            self.settle_other(verdict);
        }
    }
}

impl Drop for AdaptiveTicket {
    #[inline(always)]
    fn drop(&mut self) {
        if !self.is_settled {
            self.abandon();
        }
        self.shared.limiter.release_permit(self.in_flight);
    }
}

impl fmt::Debug for AdaptiveTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdaptiveTicket")
            .field("limit", self.shared.name())
            .field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}
