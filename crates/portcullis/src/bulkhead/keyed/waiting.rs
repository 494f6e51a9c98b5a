//! The wait for permits.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use portcullis_core::{
    Rejection, Time,
    bulkhead::keyed::{Place, Turn},
};
use tokio::time::Sleep;

use super::{
    one::{OneKey, Owner},
    ticket::KeyedBulkheadTicket,
};
use crate::{apart::Apart, clock, keyed::Key, turn};

/// A place in the line, and how long it may be held. Boxed, because few calls wait.
pub(super) struct Waiting<K>(Box<Wait<K>>);

struct Wait<K> {
    /// `None` once the wait is over.
    place: Option<(Owner<K>, Place)>,
    weight: u32,
    since: Time,
    max_wait: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<K> Waiting<K> {
    pub(super) fn new(owner: Owner<K>, weight: u32, place: Place) -> Self {
        let max_wait = owner.one().common.semaphore.config().max_wait;
        let mut wait = Box::new(Wait {
            place: Some((owner, place)),
            weight,
            since: clock::now(),
            max_wait,
            timer: None,
        });
        // Only now: where there are no timers this panics, and the place must be left then.
        wait.timer = Some(Box::pin(tokio::time::sleep(max_wait)));
        Self(wait)
    }
}

impl<K: Key> Waiting<K> {
    /// Ready with the permits, or with the rejection. A turn that comes together with the end of the time wins.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<KeyedBulkheadTicket<K>, Rejection>> {
        let wait = &mut *self.0;
        let Some((owner, place)) = &wait.place else { return Poll::Pending }; // polled after it was ready
        let OneKey { common, account, .. } = owner.one();
        match common.semaphore.poll(place, cx.waker()) {
            Poll::Ready(turn) => {
                common.waits.record(clock::now().since(wait.since));
                let Some((owner, _)) = wait.place.take() else { return Poll::Pending };
                Poll::Ready(match turn {
                    Turn::Granted(taken) => Ok(KeyedBulkheadTicket::new(owner, taken)),
                    Turn::Displaced(reason) => owner.refuse(wait.weight, reason),
                })
            }
            Poll::Pending => {
                let Some(timer) = &mut wait.timer else { return Poll::Pending };
                if timer.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                common.waits.record(clock::now().since(wait.since));
                let reason = common.semaphore.late(account, wait.weight, wait.max_wait);
                let Some(owner) = wait.leave() else { return Poll::Pending };
                Poll::Ready(owner.refuse(wait.weight, reason))
            }
        }
    }
}

impl<K: Key> turn::Wait for Waiting<K> {
    type Held = Apart<KeyedBulkheadTicket<K>>;

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Held, Rejection>> {
        self.poll(cx).map_ok(Apart::new)
    }
}

impl<K> Wait<K> {
    fn leave(&mut self) -> Option<Owner<K>> {
        let (owner, place) = self.place.take()?;
        owner.one().common.semaphore.leave(place);
        Some(owner)
    }
}

impl<K> Drop for Wait<K> {
    fn drop(&mut self) {
        self.leave();
    }
}
