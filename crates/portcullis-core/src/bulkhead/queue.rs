//! Who waits for a permit, in order of arrival.

use std::{
    collections::{BTreeMap, BTreeSet},
    task::Waker,
};

/// Waiters by their number; numbers grow, so the first entry has waited longest.
#[derive(Default)]
pub(super) struct Queue {
    next: u64,
    waiting: BTreeMap<u64, Option<Waker>>,
    /// Handed a permit that they have not fetched yet.
    granted: BTreeSet<u64>,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn push(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        self.waiting.insert(number, None);
        number
    }

    /// Hands a permit to the first in line, and returns whom to wake.
    pub(super) fn grant_first(&mut self) -> Option<Waker> {
        let (number, waker) = self.waiting.pop_first()?;
        self.granted.insert(number);
        waker
    }

    /// Fetches the permit of `number`, if it was handed one.
    pub(super) fn fetch(&mut self, number: u64) -> bool {
        self.granted.remove(&number)
    }

    /// Remembers whom to wake for `number`, and returns whom it no longer need wake.
    pub(super) fn register(&mut self, number: u64, waker: &Waker) -> Option<Waker> {
        let entry = self.waiting.get_mut(&number)?;
        if entry.as_ref().is_some_and(|known| known.will_wake(waker)) {
            return None;
        }
        entry.replace(waker.clone())
    }

    /// Leaves the line, and returns whom it no longer need wake.
    pub(super) fn remove(&mut self, number: u64) -> Option<Waker> {
        self.waiting.remove(&number)?
    }
}
