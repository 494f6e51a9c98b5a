//! Calls in flight, by key: one of the same key leads, the others wait for what it comes to.
//!
//! A call [joins](Flights::join), and is the [`Leader`] of its key or a [`Waiter`]. The leader makes its call and
//! settles with an outcome, which every waiter gets. One that is dropped before, also by a panic, hands over: the
//! waiter that came first leads then, with its own call. One that cannot share what it has dissolves the flight: every
//! waiter makes its own call.
//!
//! For patterns that share the answer of one call among many. There is one table of flights for keys and outcomes of
//! all types, so that a policy needs no type parameters; calls of different types never meet.
//!
//! Locks: the shard's, then the flight's. Whoever leads takes both, so that a flight that ends leaves the table in
//! the same moment, and nobody can join it any more. Whoever waits takes only the flight's. Wakers, keys and outcomes
//! are cloned from, woken and dropped when both are free again.

mod leader;
mod state;
mod table;
mod waiter;

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tests;

pub(crate) use leader::Leader;
pub(crate) use table::{Bounds, Flights, Joined, Key, Outcome};
pub(crate) use waiter::{Turn, Waiter};

use std::{
    any::Any,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use state::State;

/// One call in flight, and who waits for it.
struct Flight<K, T> {
    key: K,
    hash: u64,
    state: Mutex<State<T>>,
}

/// As the table has it.
type AnyFlight = Arc<dyn Any + Send + Sync>;

impl<K, T> Flight<K, T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing under this lock can panic, but for a waker that cannot be cloned, before anything is changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
