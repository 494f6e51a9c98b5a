//! The permits of a half-open breaker, each leased for a time.

use super::state::Epoch;
use crate::{
    Time,
    sync::atomic::{
        AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
};

/// A leased permit: which one, and the word that stands in it while the lease is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    slot: u16,
    word: u64,
}

impl Lease {
    pub(crate) fn new(slot: u16, epoch: Epoch, end: Time) -> Self {
        Self { slot, word: epoch.tag(end.as_millis()) }
    }

    pub(crate) fn slot(self) -> u16 {
        self.slot
    }
}

/// One word per permit: the epoch that took it and when its lease ends, in milliseconds. A word of an
/// older epoch is a free permit, and one of a newer epoch means that the asker came too late.
pub(crate) struct Probes {
    slots: Box<[AtomicU64]>,
    successes: AtomicU64,
}

/// In a slot: free, in whatever epoch.
const FREE: u64 = 0;

impl Probes {
    pub(crate) fn new(permits: u32) -> Self {
        Self { slots: (0..permits).map(|_| AtomicU64::new(FREE)).collect(), successes: AtomicU64::new(0) }
    }

    /// Forgets older epochs, before they lie so far back that they look newer.
    pub(crate) fn begin(&self, epoch: Epoch) {
        clear(&self.successes, epoch);
        for permit in &self.slots {
            clear(permit, epoch);
        }
    }

    /// Takes a free permit until `end`, or says when the first lease ends; `None` when the epoch is over.
    pub(crate) fn take(&self, epoch: Epoch, end: Time) -> Result<Lease, Option<Time>> {
        let mut first_end = None;
        for (slot, permit) in (0u16..).zip(&self.slots) {
            let mut seen = permit.load(Acquire);
            loop {
                if let Some(ends) = epoch.untag(seen) {
                    let ends = Time::from_millis(ends);
                    first_end = Some(first_end.map_or(ends, |first: Time| first.min(ends)));
                    break;
                }
                if seen != FREE && Epoch::of(seen).is_after(epoch) {
                    return Err(None);
                }
                let lease = Lease::new(slot, epoch, end);
                match permit.compare_exchange(seen, lease.word, AcqRel, Acquire) {
                    Ok(_) => return Ok(lease),
                    Err(other) => seen = other,
                }
            }
        }
        Err(first_end)
    }

    /// Gives a permit back; does nothing when it is another's by now.
    pub(crate) fn give_back(&self, lease: Lease) {
        if let Some(permit) = self.slots.get(usize::from(lease.slot)) {
            let _ = permit.compare_exchange(lease.word, FREE, AcqRel, Relaxed);
        }
    }

    /// Counts a successful probe and returns how many there are in this epoch.
    pub(crate) fn success(&self, epoch: Epoch) -> u64 {
        let mut seen = self.successes.load(Acquire);
        loop {
            let count = match epoch.untag(seen) {
                Some(count) => count + 1,
                None if seen == 0 || epoch.is_after(Epoch::of(seen)) => 1,
                None => return 0, // late: a newer epoch counts already
            };
            match self.successes.compare_exchange(seen, epoch.tag(count), AcqRel, Acquire) {
                Ok(_) => return count,
                Err(other) => seen = other,
            }
        }
    }

    /// When the first lease ends, if every permit is leased.
    pub(crate) fn first_end(&self, epoch: Epoch) -> Option<Time> {
        let mut first_end = None;
        for permit in &self.slots {
            let ends = Time::from_millis(epoch.untag(permit.load(Acquire))?);
            first_end = Some(first_end.map_or(ends, |first: Time| first.min(ends)));
        }
        first_end
    }

    /// Permits that are leased in this epoch.
    pub(crate) fn in_flight(&self, epoch: Epoch) -> u32 {
        let leased = |permit: &&AtomicU64| epoch.untag(permit.load(Relaxed)).is_some();
        self.slots.iter().filter(leased).count() as u32
    }

    /// Successful probes of this epoch.
    pub(crate) fn successes(&self, epoch: Epoch) -> u32 {
        epoch.untag(self.successes.load(Relaxed)).unwrap_or(0) as u32
    }
}

/// Empties a word of an older epoch.
fn clear(word: &AtomicU64, epoch: Epoch) {
    let mut seen = word.load(Acquire);
    while seen != FREE && epoch.is_after(Epoch::of(seen)) {
        match word.compare_exchange(seen, FREE, AcqRel, Acquire) {
            Ok(_) => return,
            Err(other) => seen = other,
        }
    }
}
