//! A place in the limit.

use std::fmt;

use portcullis_core::{
    Time, Verdict,
    adaptive::{Change, Sample},
};

use super::policy::Shared;
use crate::{Ticket, clock, shard::Pinned};

/// A place for one call in an adaptive limit, given back when it is dropped. Settled, it tells the limit how the call ended and how
/// long it took; dropped unsettled, the call was given up.
#[must_use = "dropped, it gives the place back"]
pub struct AdaptiveTicket {
    /// `None` only while it is dropped.
    shared: Option<Pinned<Shared>>,
    started: Time,
    /// When the answer's head was there; the origin of time, before that.
    answered: Time,
    /// With this call, when it began; 0 while the limit is disabled.
    in_flight: u32,
    is_settled: bool,
}

impl AdaptiveTicket {
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
}

/// A call that succeeded.
#[inline(always)]
fn succeed(shared: &Pinned<Shared>, started: Time, answered: Time, in_flight: u32) {
    shared.tally(shared.shard()).succeed();
    observe(shared, started, answered, in_flight, Sample::Success);
}

/// One that did not.
#[inline(never)]
fn settle_other(shared: &Pinned<Shared>, started: Time, answered: Time, in_flight: u32, verdict: &Verdict) {
    shared.tally(shared.shard()).count(verdict);
    observe(shared, started, answered, in_flight, shared.limiter.judge(verdict));
}

/// By value: nothing of a ticket must be in memory for what is seldom done.
#[cold]
#[inline(never)]
fn abandon(shared: Pinned<Shared>, started: Time, answered: Time, in_flight: u32) {
    let answered = if answered == Time::ORIGIN { clock::now() } else { answered };
    shared.tally(shared.shard()).abandon();
    observe(&shared, started, answered, in_flight, Sample::Abandoned);
    shared.limiter.release_permit(in_flight);
}

#[inline(always)]
fn observe(shared: &Pinned<Shared>, started: Time, answered: Time, in_flight: u32, sample: Sample) {
    let change = shared.limiter.observe(shared.shard(), started, in_flight, sample, answered);
    if let Some(change) = change {
        tell(shared, change);
    }
}

#[cold]
#[inline(never)]
fn tell(shared: &Shared, change: Change) {
    shared.tell(Some(change));
}

impl Ticket for AdaptiveTicket {
    #[inline(always)]
    fn settle(&mut self, verdict: Verdict) {
        if std::mem::replace(&mut self.is_settled, true) {
            return;
        }
        self.answered();
        let Self { shared, started, answered, in_flight, .. } = self;
        let Some(shared) = shared else { return };
        match verdict {
            Verdict::Success => succeed(shared, *started, *answered, *in_flight),
            other => settle_other(shared, *started, *answered, *in_flight, &other),
        }
    }
}

impl Drop for AdaptiveTicket {
    #[inline(always)]
    fn drop(&mut self) {
        let Some(shared) = self.shared.take() else { return };
        if self.is_settled {
            shared.limiter.release_permit(self.in_flight);
        } else {
            abandon(shared, self.started, self.answered, self.in_flight);
        }
    }
}

impl fmt::Debug for AdaptiveTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdaptiveTicket")
            .field("limit", &self.shared.as_ref().map(|shared| shared.name()))
            .field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}

/// A place in a future, which takes it out as a ticket when the answer is there. A future that is dropped before
/// gives it back by code that stands apart: all futures around it contain what it would be.
#[must_use = "dropped, it gives the place back"]
pub(super) struct Held {
    /// `None` when the ticket was taken out.
    shared: Option<Pinned<Shared>>,
    started: Time,
    in_flight: u32,
}

impl Held {
    #[inline(always)]
    pub(super) fn new(shared: Pinned<Shared>, in_flight: u32) -> Self {
        let started = clock::now();
        Self { shared: Some(shared), started, in_flight }
    }

    /// Of no limit.
    pub(super) fn nothing() -> Self {
        Self { shared: None, started: Time::ORIGIN, in_flight: 0 }
    }

    /// Outside of a future.
    pub(super) fn ticket(mut self) -> AdaptiveTicket {
        let shared = self.shared.take();
        let (started, answered, in_flight) = (self.started, Time::ORIGIN, self.in_flight);
        AdaptiveTicket { shared, started, answered, in_flight, is_settled: false }
    }

    /// The ticket, the first time, of a call whose answer is there.
    #[inline(always)]
    pub(super) fn answered(&mut self) -> Option<AdaptiveTicket> {
        let shared = Some(self.shared.take()?);
        let (started, answered, in_flight) = (self.started, clock::now(), self.in_flight);
        Some(AdaptiveTicket { shared, started, answered, in_flight, is_settled: false })
    }
}

/// For a call that panics.
impl Ticket for Held {
    fn settle(&mut self, verdict: Verdict) {
        if let Some(mut ticket) = self.answered() {
            ticket.settle(verdict);
        }
    }
}

impl Drop for Held {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            abandon(shared, self.started, Time::ORIGIN, self.in_flight);
        }
    }
}
