//! Who waits for another's call.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use super::{
    Flight, Flights, Leader,
    leader::hand_over,
    state::Look,
    table::{Key, Outcome},
};

/// Who waits for another's call: ready when there is something for it. It is woken once, and not before.
#[must_use = "it has joined a flight"]
pub(crate) struct Waiter<K: Key, T: Outcome> {
    flights: Flights,
    flight: Arc<Flight<K, T>>,
    id: u64,
    done: bool,
}

/// What there is for a waiter.
#[derive(Debug)]
pub(crate) enum Turn<K: Key, T: Outcome> {
    /// The outcome of another's call.
    Shared(Arc<T>),
    /// The leader has gone: this one is to make its call.
    Lead(Leader<K, T>),
    /// There is nothing to share: it is to make its call for itself.
    Alone,
}

impl<K: Key, T: Outcome> Waiter<K, T> {
    pub(super) fn new(flights: Flights, flight: Arc<Flight<K, T>>, id: u64) -> Self {
        Self { flights, flight, id, done: false }
    }

    fn end(&mut self) {
        self.done = true;
        self.flights.waited();
    }
}

impl<K: Key, T: Outcome> Future for Waiter<K, T> {
    type Output = Turn<K, T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Turn<K, T>> {
        if self.done {
            return Poll::Pending; // polled after it was ready
        }
        let look = self.flight.lock().look(self.id, cx.waker());
        let turn = match look {
            Look::Wait(before) => {
                drop(before);
                return Poll::Pending;
            }
            Look::Shared(outcome) => Turn::Shared(outcome),
            Look::Alone => Turn::Alone,
            Look::Lead => Turn::Lead(Leader::new(self.flights.clone(), self.flight.clone())),
        };
        self.end();
        Poll::Ready(turn)
    }
}

impl<K: Key, T: Outcome> Drop for Waiter<K, T> {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        self.end();
        let (is_heir, waker) = self.flight.lock().leave(self.id);
        drop(waker);
        // Nobody but the heir itself can have taken that from it since.
        if is_heir {
            hand_over(&self.flights, &self.flight);
        }
    }
}

impl<K: Key, T: Outcome> fmt::Debug for Waiter<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiter").field("id", &self.id).finish_non_exhaustive()
    }
}
