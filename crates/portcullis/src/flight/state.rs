//! Who leads a flight, and who waits.

use std::{collections::BTreeMap, sync::Arc, task::Waker};

/// The state of one flight, under its lock.
pub(super) struct State<T> {
    phase: Phase<T>,
    /// In the order in which they came. Without a waker before the first poll.
    waiting: BTreeMap<u64, Option<Waker>>,
    next: u64,
}

enum Phase<T> {
    /// A leader is at work.
    Led,
    /// This waiter is to lead, and has not seen it yet; it is not among those who wait.
    Handed(u64),
    Settled(Arc<T>),
    Dissolved,
}

/// What a waiter sees.
pub(super) enum Look<T> {
    /// Nothing yet. The waker that it had registered before, to be dropped outside of the lock.
    Wait(Option<Waker>),
    Lead,
    Shared(Arc<T>),
    Alone,
}

/// What became of a flight without a leader.
pub(super) enum Next {
    /// Another is to lead. It is to be woken, if it was ever polled.
    Handed(Option<Waker>),
    /// Nobody waits: the flight is over.
    Over,
}

/// Those who are to be woken, outside of the lock.
pub(super) struct Woken(BTreeMap<u64, Option<Waker>>);

impl Woken {
    pub(super) fn wake(self) {
        self.0.into_values().flatten().for_each(Waker::wake);
    }
}

impl<T> State<T> {
    /// A flight with a leader.
    pub(super) fn led() -> Self {
        Self { phase: Phase::Led, waiting: BTreeMap::new(), next: 0 }
    }

    /// A place for one more, if there are fewer than `most`.
    pub(super) fn join(&mut self, most: usize) -> Option<u64> {
        if self.waiting.len() >= most {
            return None;
        }
        let id = self.next;
        self.next += 1;
        self.waiting.insert(id, None);
        Some(id)
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// What there is for this waiter; if nothing, its waker is kept.
    pub(super) fn look(&mut self, id: u64, waker: &Waker) -> Look<T> {
        match &self.phase {
            Phase::Settled(outcome) => Look::Shared(outcome.clone()),
            Phase::Dissolved => Look::Alone,
            // Handed => Led
            Phase::Handed(heir) if *heir == id => {
                self.phase = Phase::Led;
                Look::Lead
            }
            Phase::Led | Phase::Handed(_) => match self.waiting.get_mut(&id) {
                Some(Some(known)) if known.will_wake(waker) => Look::Wait(None),
                Some(known) => Look::Wait(known.replace(waker.clone())),
                None => Look::Wait(None),
            },
        }
    }

    /// A waiter goes. Whether it was to lead: then another must. Its waker is to be dropped outside of the lock.
    pub(super) fn leave(&mut self, id: u64) -> (bool, Option<Waker>) {
        let is_heir = matches!(self.phase, Phase::Handed(heir) if heir == id);
        (is_heir, self.waiting.remove(&id).flatten())
    }

    /// Led or Handed => Handed, if anyone waits.
    pub(super) fn hand_over(&mut self) -> Next {
        match self.waiting.pop_first() {
            Some((id, waker)) => {
                self.phase = Phase::Handed(id);
                Next::Handed(waker)
            }
            None => Next::Over,
        }
    }

    /// Led => Settled
    pub(super) fn settle(&mut self, outcome: Arc<T>) -> Woken {
        self.phase = Phase::Settled(outcome);
        Woken(std::mem::take(&mut self.waiting))
    }

    /// Led => Dissolved
    pub(super) fn dissolve(&mut self) -> Woken {
        self.phase = Phase::Dissolved;
        Woken(std::mem::take(&mut self.waiting))
    }
}
