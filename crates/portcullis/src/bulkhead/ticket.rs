//! Permits, and the wait for them.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use portcullis_core::{
    Reason, Rejection, Time, Verdict,
    bulkhead::{Demand, Place, Turn},
};
use tokio::time::Sleep;

use super::policy::Shared;
use crate::{
    Ticket, clock,
    shard::Pinned,
    turn::{self, Hold},
};

/// A bulkhead's permits for one call, given back when it is dropped. How the call ended is nothing to it.
#[must_use = "dropped, it gives the permits back"]
pub struct BulkheadTicket {
    shared: Pinned<Shared>,
    taken: u32,
}

impl BulkheadTicket {
    /// How many permits it holds; none while the bulkhead is [disabled](crate::Mode::Disabled).
    pub fn permits(&self) -> u32 {
        self.taken
    }
}

impl Ticket for BulkheadTicket {
    #[inline]
    fn settle(&mut self, _: Verdict) {}

    #[inline(always)]
    fn heeds(&self) -> bool {
        false
    }
}

impl Drop for BulkheadTicket {
    #[inline]
    fn drop(&mut self) {
        self.shared.semaphore.release(self.taken, clock::now);
    }
}

impl fmt::Debug for BulkheadTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkheadTicket")
            .field("bulkhead", self.shared.name())
            .field("permits", &self.taken)
            .finish()
    }
}

/// Permits that have been taken, on their way into what gives them back.
#[must_use = "nothing else gives the permits back"]
pub(super) struct Taken {
    shared: Pinned<Shared>,
    taken: u32,
}

impl Taken {
    #[inline(always)]
    pub(super) fn new(shared: Pinned<Shared>, taken: u32) -> Self {
        Self { shared, taken }
    }

    pub(super) fn ticket(self) -> BulkheadTicket {
        BulkheadTicket { shared: self.shared, taken: self.taken }
    }

    #[inline(always)]
    pub(super) fn held(self) -> Held {
        Held { shared: Some(self.shared), taken: self.taken }
    }
}

/// A ticket in a future, which takes it out when the call is over. A future that is dropped before does it by
/// code that stands apart: all futures around it contain what it would be.
pub(super) struct Held {
    shared: Option<Pinned<Shared>>,
    taken: u32,
}

impl Hold for Held {
    type Ticket = BulkheadTicket;

    #[inline(always)]
    fn take(&mut self) -> Option<BulkheadTicket> {
        self.shared.take().map(|shared| BulkheadTicket { shared, taken: self.taken })
    }
}

impl Drop for Held {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            abandon(shared, self.taken);
        }
    }
}

#[cold]
#[inline(never)]
fn abandon(shared: Pinned<Shared>, taken: u32) {
    drop(BulkheadTicket { shared, taken });
}

/// The wait for permits: ready with them, or with the rejection. Boxed, because few calls wait; and without
/// its type, or every future of a bulkhead would carry the code that drops it.
pub(super) type Waiting = Pin<Box<dyn Future<Output = Result<Taken, Rejection>> + Send + Sync>>;

impl turn::Wait for Waiting {
    type Held = Held;

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<Held, Rejection>> {
        self.as_mut().poll(cx).map_ok(Taken::held)
    }
}

/// A place in the queue and how long it may be held.
struct Wait {
    shared: Pinned<Shared>,
    demand: Demand,
    place: Option<Place>,
    since: Time,
    max_wait: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

/// The wait at this place.
pub(super) fn wait(shared: Pinned<Shared>, demand: Demand, place: Place) -> Waiting {
    let max_wait = shared.semaphore.config().max_wait;
    let mut wait =
        Box::pin(Wait { shared, demand, place: Some(place), since: clock::now(), max_wait, timer: None });
    // Only now: where there are no timers this panics, and the place must be left then.
    wait.timer = Some(Box::pin(tokio::time::sleep(max_wait)));
    wait
}

impl Wait {
    fn leave(&mut self) {
        if let Some(place) = self.place.take() {
            self.shared.semaphore.leave(place, clock::now);
        }
    }

    fn record(&self) {
        self.shared.waits.record(clock::now().since(self.since));
    }

    /// What becomes of a call that is to be refused.
    fn refuse(&mut self, reason: Reason) -> Result<Taken, Rejection> {
        self.record();
        self.leave();
        self.shared.refuse(self.demand, reason).map(|taken| Taken::new(self.shared.clone(), taken))
    }
}

impl Future for Wait {
    type Output = Result<Taken, Rejection>;

    /// A turn that comes together with the end of the time wins.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let wait = &mut *self;
        let semaphore = &wait.shared.semaphore;
        let Some(place) = &wait.place else { return Poll::Pending }; // polled after it was ready
        let limit = semaphore.limit();
        match semaphore.poll(place, cx.waker()) {
            Poll::Ready(Turn::Granted(taken)) => {
                wait.place = None;
                wait.record();
                Poll::Ready(Ok(Taken::new(wait.shared.clone(), taken)))
            }
            Poll::Ready(Turn::Dropped { waited, target }) => {
                wait.place = None;
                Poll::Ready(wait.refuse(Reason::QueueDropped { limit, waited, target }))
            }
            Poll::Pending => {
                let Some(timer) = &mut wait.timer else { return Poll::Pending };
                let max_wait = wait.max_wait;
                let timer = timer.as_mut().poll(cx);
                timer.map(|()| wait.refuse(Reason::QueueTimeout { limit, max_wait }))
            }
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.leave();
    }
}
