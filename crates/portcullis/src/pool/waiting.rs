//! The wait for a thread.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use portcullis_core::{
    Reason, Rejection,
    bulkhead::{Place, Turn},
};
use tokio::time::Sleep;

use super::{ThreadPoolTicket, policy::Shared};
use crate::{clock, shard::Pinned};

/// A place in the line and how long it may be held: ready with a thread, or with the rejection. Boxed, because
/// few calls wait.
pub(super) struct Waiting(Box<Wait>);

struct Wait {
    shared: Pinned<Shared>,
    place: Option<Place>,
    max_wait: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Waiting {
    pub(super) fn new(shared: Pinned<Shared>, place: Place) -> Self {
        let max_wait = shared.config().max_wait;
        let mut wait = Box::new(Wait { shared, place: Some(place), max_wait, timer: None });
        // Only now: where there are no timers this panics, and the place must be left then.
        wait.timer = Some(Box::pin(tokio::time::sleep(max_wait)));
        Self(wait)
    }
}

impl Future for Waiting {
    type Output = Result<ThreadPoolTicket, Rejection>;

    /// A turn that comes together with the end of the time wins.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let wait = &mut *self.0;
        let permits = &wait.shared.permits;
        let Some(place) = &wait.place else { return Poll::Pending }; // polled after it was ready
        match permits.poll(place, cx.waker()) {
            Poll::Ready(Turn::Granted(taken)) => {
                wait.place = None;
                Poll::Ready(Ok(ThreadPoolTicket::new(wait.shared.clone(), taken)))
            }
            // No pool drops calls by how long they waited.
            Poll::Ready(Turn::Dropped { .. }) => {
                wait.place = None;
                Poll::Ready(wait.refuse())
            }
            Poll::Pending => {
                let Some(timer) = &mut wait.timer else { return Poll::Pending };
                timer.as_mut().poll(cx).map(|()| wait.refuse())
            }
        }
    }
}

impl Wait {
    fn leave(&mut self) -> bool {
        let place = self.place.take();
        let waited = place.is_some();
        if let Some(place) = place {
            self.shared.permits.leave(place, clock::now);
        }
        waited
    }

    /// What becomes of a call that is to be refused.
    fn refuse(&mut self) -> Result<ThreadPoolTicket, Rejection> {
        self.leave();
        let (threads, max_wait) = (self.shared.permits.limit(), self.max_wait);
        let taken = self.shared.refuse(Reason::PoolTimeout { threads, max_wait })?;
        Ok(ThreadPoolTicket::new(self.shared.clone(), taken))
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if self.leave() {
            self.shared.cancelled();
        }
    }
}
