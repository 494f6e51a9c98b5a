//! A permit, and the wait for one.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use portcullis_core::{Reason, Rejection, Verdict, bulkhead::Place};
use tokio::time::Sleep;

use super::policy::Shared;
use crate::{Ticket, shard::Pinned};

/// A bulkhead's permit, given back when it is dropped. How the call ended is nothing to it.
#[must_use = "dropped, it gives the permit back"]
pub struct BulkheadTicket {
    shared: Pinned<Shared>,
}

impl BulkheadTicket {
    /// The permit has been taken already.
    #[inline]
    pub(super) fn new(shared: Pinned<Shared>) -> Self {
        Self { shared }
    }
}

impl Ticket for BulkheadTicket {
    #[inline]
    fn settle(&mut self, _: Verdict) {}
}

impl Drop for BulkheadTicket {
    #[inline]
    fn drop(&mut self) {
        self.shared.semaphore.release();
    }
}

impl fmt::Debug for BulkheadTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkheadTicket").field("bulkhead", &self.shared.name).finish()
    }
}

/// A place in the queue and how long it may be held. Boxed, because few calls wait.
pub(super) struct Waiting(Box<Wait>);

struct Wait {
    shared: Pinned<Shared>,
    place: Option<Place>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Waiting {
    pub(super) fn new(shared: Pinned<Shared>, place: Place) -> Self {
        let mut wait = Box::new(Wait { shared, place: Some(place), timer: None });
        // Only now: where there are no timers this panics, and the place must be left then.
        wait.timer = Some(Box::pin(tokio::time::sleep(wait.shared.semaphore.config().max_wait)));
        Self(wait)
    }

    /// Ready with the permit, or with the rejection when it took too long. The permit wins a tie.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<BulkheadTicket, Rejection>> {
        let wait = &mut *self.0;
        let semaphore = &wait.shared.semaphore;
        let granted = wait.place.as_ref().is_some_and(|place| semaphore.poll(place, cx.waker()).is_ready());
        if granted {
            wait.place = None;
            return Poll::Ready(Ok(BulkheadTicket::new(wait.shared.clone())));
        }
        let Some(timer) = &mut wait.timer else { return Poll::Pending };
        timer.as_mut().poll(cx).map(|()| {
            let config = semaphore.config();
            let reason = Reason::QueueTimeout { limit: config.max_in_flight, max_wait: config.max_wait };
            Err(wait.shared.reject(reason))
        })
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let Some(place) = self.place.take() {
            self.shared.semaphore.leave(place);
        }
    }
}
