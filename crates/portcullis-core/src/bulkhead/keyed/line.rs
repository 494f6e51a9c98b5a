//! Who waits, by key.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    task::Waker,
};

use super::Account;
use crate::Reason;

/// How the wait for a permit ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Turn {
    /// So many permits are taken, and the caller's to release.
    Granted(u32),
    /// None is: the queue was full, the key had more in it than any other, and a call of one that had less has
    /// the place now.
    Displaced(Reason),
}

struct Person {
    weight: u32,
    waker: Option<Waker>,
}

/// The calls of one key that wait, by their numbers: the first has waited longest.
struct Queue {
    account: Arc<Account>,
    /// When it was served last, or came: of those who hold the same, the lowest is next.
    turn: u64,
    people: BTreeMap<u64, Person>,
    /// Where it stands in [`Line::ready`].
    ready: Option<Rank>,
    /// Where it stands in [`Line::longest`].
    length: Rank,
}

/// What keys are ordered by, with their turn and their number.
type Rank = (u64, u64, u64);

/// All keys of which calls wait.
#[derive(Default)]
pub(super) struct Line {
    queues: BTreeMap<u64, Queue>,
    /// Keys whose first call could go, by their own limit: who holds the least is next.
    ready: BTreeSet<Rank>,
    /// Keys by how many of their calls wait.
    longest: BTreeSet<Rank>,
    /// Whose turn has come, and who does not know yet.
    called: BTreeMap<u64, Turn>,
    waiting: usize,
    /// Keys that wait and hold nothing.
    empty_handed: u64,
    people: u64,
    turns: u64,
}

impl Line {
    pub(super) fn len(&self) -> usize {
        self.waiting
    }

    /// How many wait of the key of which most do.
    pub(super) fn longest(&self) -> u64 {
        self.longest.last().map_or(0, |longest| longest.0)
    }

    pub(super) fn empty_handed(&self) -> u64 {
        self.empty_handed
    }

    /// The key that is next, what it holds, and how heavy its first call is.
    pub(super) fn next(&self) -> Option<(u64, u64, u32)> {
        let (held, _, id) = *self.ready.first()?;
        Some((id, held, self.weight(id)?))
    }

    /// Any key, for when nothing is to be waited for.
    pub(super) fn any(&self) -> Option<(u64, u32)> {
        let id = *self.queues.first_key_value()?.0;
        Some((id, self.weight(id)?))
    }

    fn weight(&self, id: u64) -> Option<u32> {
        Some(self.queues.get(&id)?.people.first_key_value()?.1.weight)
    }

    /// Adds a call at the end of its key's queue; returns its number.
    pub(super) fn push(&mut self, account: &Arc<Account>, weight: u32, most: u64) -> u64 {
        self.people += 1;
        let queue = self.queues.entry(account.id()).or_insert_with(|| {
            self.turns += 1;
            let (account, people) = (account.clone(), BTreeMap::new());
            Queue { account, turn: self.turns, people, ready: None, length: (0, 0, 0) }
        });
        queue.people.insert(self.people, Person { weight, waker: None });
        self.waiting += 1;
        self.rank(account.id(), most);
        self.people
    }

    /// Takes the first call of a key out of the line, because its turn has come; returns whose permits they
    /// are, and whom to wake.
    pub(super) fn call(&mut self, id: u64, taken: u32) -> Option<(Arc<Account>, Option<Waker>)> {
        self.turns += 1;
        let queue = self.queues.get_mut(&id)?;
        queue.turn = self.turns;
        let (number, person) = queue.people.pop_first()?;
        let account = queue.account.clone();
        self.waiting -= 1;
        self.called.insert(number, Turn::Granted(taken));
        Some((account, person.waker))
    }

    /// Takes the call that came last out of the longest queue, if that is longer by two than one of so many
    /// calls; returns whom to wake. `reason` says why, of the one that loses its place.
    pub(super) fn displace(
        &mut self,
        waiting: u32,
        most: u64,
        reason: impl FnOnce(&Account) -> Reason,
    ) -> Option<Option<Waker>> {
        let (longest, _, id) = *self.longest.last()?;
        if longest < u64::from(waiting) + 2 {
            return None;
        }
        let queue = self.queues.get_mut(&id)?;
        let reason = reason(&queue.account);
        let (number, person) = queue.people.pop_last()?;
        self.waiting -= 1;
        self.called.insert(number, Turn::Displaced(reason));
        self.rank(id, most);
        Some(person.waker)
    }

    /// What the turn of `number` came to, if it has.
    pub(super) fn fetch(&mut self, number: u64) -> Option<Turn> {
        self.called.remove(&number)
    }

    /// Remembers whom to wake for a call, and returns whom it no longer need wake.
    pub(super) fn register(&mut self, id: u64, number: u64, waker: &Waker) -> Option<Waker> {
        let person = self.queues.get_mut(&id)?.people.get_mut(&number)?;
        if person.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            return None;
        }
        person.waker.replace(waker.clone())
    }

    /// Takes a call out that gave up, and returns whom it no longer need wake.
    pub(super) fn remove(&mut self, id: u64, number: u64, most: u64) -> Option<Waker> {
        let person = self.queues.get_mut(&id)?.people.remove(&number)?;
        self.waiting -= 1;
        self.rank(id, most);
        person.waker
    }

    /// Puts every key where it belongs by a new limit.
    pub(super) fn rank_all(&mut self, most: u64) {
        let ids: Vec<_> = self.queues.keys().copied().collect();
        ids.into_iter().for_each(|id| self.rank(id, most));
    }

    /// Puts a key where it belongs by what it holds and how many wait of it; takes it out if none does.
    pub(super) fn rank(&mut self, id: u64, most: u64) {
        let Some(queue) = self.queues.get_mut(&id) else { return };
        if let Some(before) = queue.ready.take() {
            self.ready.remove(&before);
            self.empty_handed -= u64::from(before.0 == 0);
        }
        self.longest.remove(&queue.length);
        queue.account.wait(queue.people.len());
        let Some((_, first)) = queue.people.first_key_value() else {
            self.queues.remove(&id);
            return;
        };
        queue.length = (queue.people.len() as u64, queue.turn, id);
        self.longest.insert(queue.length);
        let held = queue.account.in_flight();
        if held + super::needs(first.weight, most) <= most {
            queue.ready = Some((held, queue.turn, id));
            self.ready.insert((held, queue.turn, id));
            self.empty_handed += u64::from(held == 0);
        }
    }
}
