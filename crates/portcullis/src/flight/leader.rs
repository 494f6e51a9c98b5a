//! Who makes the call.

use std::{fmt, sync::Arc};

use super::{
    Flight, Flights,
    state::Next,
    table::{Key, Outcome},
};

/// Who makes the call of its key. Dropped without an outcome, also by a panic, it hands over to who has waited
/// longest.
#[must_use = "dropped, it hands over to the next"]
pub(crate) struct Leader<K: Key, T: Outcome> {
    flights: Flights,
    flight: Arc<Flight<K, T>>,
    over: bool,
}

impl<K: Key, T: Outcome> Leader<K, T> {
    pub(super) fn new(flights: Flights, flight: Arc<Flight<K, T>>) -> Self {
        Self { flights, flight, over: false }
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.flight.lock().waiting()
    }

    /// Ends the flight, if nobody waits: then no outcome need be made for others.
    ///
    /// # Errors
    ///
    /// The leader itself, when somebody waits.
    pub(crate) fn end_alone(mut self) -> Result<(), Self> {
        let alone = self.flights.change(&self.flight, |state| {
            let alone = state.waiting() == 0;
            (alone, alone)
        });
        self.over = alone;
        if alone { Ok(()) } else { Err(self) }
    }

    /// Gives everyone who waits this outcome; how many these are.
    pub(crate) fn settle(mut self, outcome: T) -> usize {
        self.over = true;
        let outcome = Arc::new(outcome);
        let (count, woken) =
            self.flights.change(&self.flight, |state| ((state.waiting(), state.settle(outcome)), true));
        woken.wake();
        count
    }

    /// Lets everyone who waits make a call of its own; how many these are.
    pub(crate) fn dissolve(mut self) -> usize {
        self.over = true;
        let (count, woken) =
            self.flights.change(&self.flight, |state| ((state.waiting(), state.dissolve()), true));
        woken.wake();
        count
    }
}

impl<K: Key, T: Outcome> Drop for Leader<K, T> {
    fn drop(&mut self) {
        if !self.over {
            hand_over(&self.flights, &self.flight);
        }
    }
}

/// Lets who has waited longest lead; the flight is over when nobody waits.
pub(super) fn hand_over<K: Key, T: Outcome>(flights: &Flights, flight: &Arc<Flight<K, T>>) {
    let next = flights.change(flight, |state| {
        let next = state.hand_over();
        let over = matches!(next, Next::Over);
        (next, over)
    });
    if let Next::Handed(Some(waker)) = next {
        waker.wake();
    }
}

impl<K: Key, T: Outcome> fmt::Debug for Leader<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leader").field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}
