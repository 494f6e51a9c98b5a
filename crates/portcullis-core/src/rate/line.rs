//! Who waits for permits, in order of arrival.

use std::{collections::BTreeMap, task::Waker};

use super::{Config, meter::Meter};
use crate::Mode;

/// Everything that is behind the lock.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) meter: Meter,
    /// By number; numbers grow, so the first has waited longest. What each takes is promised to it in the meter.
    waiting: BTreeMap<u64, Waiter>,
    /// Their turn has come, and they have not fetched it yet.
    granted: BTreeMap<u64, Grant>,
    next: u64,
    /// Nobody knows the time better than who came last.
    latest: u64,
    /// Who is at the head, and when it is due, as it was told: it alone sets a timer.
    told: Option<(u64, u64)>,
    wake: Vec<Waker>,
    /// All are let in, and nothing is taken.
    off: bool,
}

#[derive(Debug)]
struct Waiter {
    cost: u32,
    due: u64,
    waker: Option<Waker>,
}

#[derive(Debug)]
struct Grant {
    cost: u32,
    at: u64,
    mark: u64,
}

impl Line {
    pub(super) fn new(config: &Config) -> Self {
        let (waiting, granted) = (BTreeMap::new(), BTreeMap::new());
        let (meter, off) = (Meter::new(config), config.mode == Mode::Disabled);
        Self { meter, waiting, granted, next: 0, latest: 0, told: None, wake: Vec::new(), off }
    }

    /// Whether nobody may go past the lock.
    pub(super) fn must_lock(&self) -> bool {
        self.off || !self.waiting.is_empty() || !self.meter.is_steady()
    }

    pub(super) fn is_off(&self) -> bool {
        self.off
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// It is `now`: lets those go whose turn it is. Returns the time, which never goes back.
    pub(super) fn settle(&mut self, now: u64) -> u64 {
        self.latest = self.latest.max(now);
        let now = self.latest;
        match self.waiting.first_key_value() {
            Some((_, head)) if head.due <= now => {
                self.unwind();
                self.replan(now);
            }
            Some(_) => {}
            None => self.meter.wake_up(now),
        }
        now
    }

    /// Takes back all promises to those who wait.
    pub(super) fn unwind(&mut self) {
        for waiter in self.waiting.values().rev() {
            self.meter.untake(waiter.due, self.meter.charge(waiter.cost));
        }
    }

    /// Makes them anew, the first to the first. Whose turn it is goes, and is counted by the time at which it goes:
    /// who was late is not followed by others at once, but for those that the burst has room for.
    pub(super) fn replan(&mut self, now: u64) {
        let (mut come, mut mark) = (0, 0);
        for waiter in self.waiting.values_mut() {
            let cost = self.meter.charge(waiter.cost);
            // There is always such a moment, for a cost within the burst.
            waiter.due = self.meter.due(cost, now).unwrap_or(waiter.due);
            self.meter.take(waiter.due, cost);
            if waiter.due <= now {
                (come, mark) = (come + 1, self.meter.full);
                waiter.cost = cost;
            }
        }
        for _ in 0..come {
            let Some((number, waiter)) = self.waiting.pop_first() else { break };
            self.wake.extend(waiter.waker);
            self.granted.insert(number, Grant { cost: waiter.cost, at: now, mark });
        }
    }

    /// Takes a place at the end, for permits that are due then.
    pub(super) fn push(&mut self, cost: u32, due: u64) -> u64 {
        let number = self.next;
        self.next += 1;
        self.meter.take(due, cost);
        self.waiting.insert(number, Waiter { cost, due, waker: None });
        number
    }

    /// Fetches the turn, if it has come.
    pub(super) fn fetch(&mut self, number: u64) -> bool {
        self.granted.remove(&number).is_some()
    }

    /// Remembers whom to wake. The head is told when to come back.
    pub(super) fn register(&mut self, number: u64, waker: &Waker) -> (Option<u64>, Option<Waker>) {
        let head = self.waiting.first_key_value().filter(|head| *head.0 == number).map(|head| head.1.due);
        if let Some(due) = head {
            self.told = Some((number, due));
        }
        let Some(waiter) = self.waiting.get_mut(&number) else { return (head, None) };
        if waiter.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            return (head, None);
        }
        (head, waiter.waker.replace(waker.clone()))
    }

    /// Leaves the line. What it was promised, or handed and did not fetch, goes to the next. Returns whom it no
    /// longer need wake.
    pub(super) fn remove(&mut self, number: u64, now: u64) -> Option<Waker> {
        if let Some(Grant { cost, at, mark }) = self.granted.remove(&number) {
            self.give_back(at, cost, mark, now);
            return None;
        }
        self.unwind();
        let left = self.waiting.remove(&number);
        self.replan(now);
        left.and_then(|waiter| waiter.waker)
    }

    /// Takes back what was granted and not used.
    pub(super) fn give_back(&mut self, at: u64, cost: u32, mark: u64, now: u64) {
        self.unwind();
        self.meter.give_back(at, cost, mark);
        self.replan(now);
    }

    /// Goes on by other rules.
    pub(super) fn change(&mut self, config: &Config, now: u64) {
        self.unwind();
        let before = std::mem::replace(&mut self.meter, Meter::new(config));
        self.meter = before.changed(config, now);
        self.off = config.mode == Mode::Disabled;
        self.replan(now);
    }

    /// Whom to wake, with no lock held: those whose turn has come, and a head that is to set its timer anew.
    pub(super) fn whom_to_wake(&mut self) -> Vec<Waker> {
        let head = self.waiting.first_key_value().map(|(number, waiter)| (*number, waiter.due));
        if head != self.told {
            self.told = head;
            let waker = self.waiting.first_key_value().and_then(|head| head.1.waker.clone());
            self.wake.extend(waker);
        }
        std::mem::take(&mut self.wake)
    }
}
