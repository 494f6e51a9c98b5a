use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
};

use tokio::sync::oneshot;

/// A breach of the `Service` contract by whoever called a scripted service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// `call` on an instance that was never polled ready: usually a fresh clone.
    NeverReady {
        /// Which instance, numbered in the order they were made.
        instance: u64,
    },
    /// `call` on an instance that was called since it was last polled ready.
    NotReadyAgain {
        /// Which instance, numbered in the order they were made.
        instance: u64,
    },
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverReady { instance } => {
                write!(f, "inner instance {instance} was called and had never been polled ready")
            }
            Self::NotReadyAgain { instance } => {
                write!(f, "inner instance {instance} was called again and had not been polled ready since")
            }
        }
    }
}

/// What a scripted service has seen so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Calls made.
    pub calls: usize,
    /// Response futures that are neither finished nor dropped.
    pub in_flight: usize,
    /// The most that were ever in flight at once.
    pub high_water: usize,
    /// Instances that were polled ready and not called yet.
    pub reserved: usize,
    /// Response futures that answered.
    pub finished: usize,
    /// Response futures that were dropped before they answered.
    pub dropped: usize,
    /// Polls of response futures.
    pub polls: usize,
    /// Calls of `poll_ready`.
    pub ready_polls: usize,
    /// Breaches of the contract, in order.
    pub misuses: Vec<Misuse>,
}

#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) tally: Tally,
    pub(super) held: VecDeque<oneshot::Sender<()>>,
    pub(super) closed: bool,
    pub(super) ready_yields: u32,
    /// Who waits for readiness, by instance: a later poll of an instance replaces its waker.
    pub(super) waiting: BTreeMap<u64, Waker>,
    next_instance: u64,
}

/// The part of a script's state that does not depend on its types.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger(Arc<Mutex<Entries>>);

impl Ledger {
    pub(super) fn lock(&self) -> MutexGuard<'_, Entries> {
        // A test that panicked while holding the lock has already failed: its counts still stand.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn new_instance(&self) -> u64 {
        let mut entries = self.lock();
        entries.next_instance += 1;
        entries.next_instance
    }

    pub(super) fn reserve(&self) -> Reservation {
        self.lock().tally.reserved += 1;
        Reservation(self.clone())
    }

    pub(super) fn begin(&self, misuse: Option<Misuse>) -> Running {
        let mut entries = self.lock();
        entries.tally.calls += 1;
        entries.tally.in_flight += 1;
        entries.tally.high_water = entries.tally.high_water.max(entries.tally.in_flight);
        entries.tally.misuses.extend(misuse);
        Running { ledger: self.clone(), finished: false }
    }

    pub(super) fn open(&self) {
        let waiting = {
            let mut entries = self.lock();
            entries.closed = false;
            std::mem::take(&mut entries.waiting)
        };
        // Outside the lock: a waker may run anything.
        waiting.into_values().for_each(Waker::wake);
    }
}

/// Held by an instance from readiness to call.
#[derive(Debug)]
pub(super) struct Reservation(Ledger);

impl Drop for Reservation {
    fn drop(&mut self) {
        self.0.lock().tally.reserved -= 1;
    }
}

/// Held by a response future from call to answer or drop.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) ledger: Ledger,
    pub(super) finished: bool,
}

impl Running {
    pub(super) fn finish(&mut self) {
        if !self.finished {
            self.finished = true;
            let mut entries = self.ledger.lock();
            entries.tally.in_flight -= 1;
            entries.tally.finished += 1;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.finished {
            let mut entries = self.ledger.lock();
            entries.tally.in_flight -= 1;
            entries.tally.dropped += 1;
        }
    }
}
