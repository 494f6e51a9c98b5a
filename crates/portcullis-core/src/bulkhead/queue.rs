//! Who waits for a permit.

use std::{collections::BTreeMap, task::Waker, time::Duration};

use super::{Demand, Order, codel::Watch};
use crate::{Priority, Time};

/// How the wait for a permit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// So many permits are taken, and the caller's to release.
    Granted(u32),
    /// None is, because [CoDel](super::Codel) dropped the call.
    Dropped {
        /// How long it waited.
        waited: Duration,
        /// How long calls should wait.
        target: Duration,
    },
}

pub(super) struct Waiter {
    pub(super) demand: Demand,
    /// When it came; asked for only where somebody looks at it.
    pub(super) since: Option<Time>,
    waker: Option<Waker>,
}

/// Waiters by class and number; numbers grow, so the first of a class has waited longest.
#[derive(Default)]
pub(super) struct Queue {
    next: u64,
    lines: [BTreeMap<u64, Waiter>; Priority::COUNT],
    waiting: usize,
    /// Whose turn has come, and who does not know yet.
    called: BTreeMap<u64, Turn>,
    pub(super) watch: Watch,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.waiting
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    pub(super) fn push(&mut self, demand: Demand, since: Option<Time>) -> u64 {
        let number = self.next;
        self.next += 1;
        self.waiting += 1;
        self.lines[demand.priority as usize].insert(number, Waiter { demand, since, waker: None });
        number
    }

    /// Whose turn it is, and what he waits for.
    pub(super) fn first(&self, order: Order) -> Option<(u64, &Waiter)> {
        let lines = self.lines.iter();
        let (number, waiter) = match order {
            Order::Fifo => lines.filter_map(BTreeMap::first_key_value).min_by_key(|first| first.0),
            Order::Lifo => lines.filter_map(BTreeMap::last_key_value).max_by_key(|last| last.0),
            Order::Priority => lines.rev().find_map(BTreeMap::first_key_value),
        }?;
        Some((*number, waiter))
    }

    /// Takes somebody out of the line whose turn has come, and returns whom to wake.
    pub(super) fn call(&mut self, number: u64, turn: Turn) -> Option<Waker> {
        let waiter = self.take(number)?;
        self.called.insert(number, turn);
        waiter.waker
    }

    /// What the turn of `number` came to, if it has.
    pub(super) fn fetch(&mut self, number: u64) -> Option<Turn> {
        self.called.remove(&number)
    }

    /// Remembers whom to wake for `number`, and returns whom it no longer need wake.
    pub(super) fn register(&mut self, number: u64, waker: &Waker) -> Option<Waker> {
        let waiter = self.lines.iter_mut().find_map(|line| line.get_mut(&number))?;
        if waiter.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            return None;
        }
        waiter.waker.replace(waker.clone())
    }

    /// Leaves the line, and returns whom it no longer need wake.
    pub(super) fn remove(&mut self, number: u64) -> Option<Waker> {
        self.take(number)?.waker
    }

    fn take(&mut self, number: u64) -> Option<Waiter> {
        let waiter = self.lines.iter_mut().find_map(|line| line.remove(&number))?;
        self.waiting -= 1;
        Some(waiter)
    }
}
