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
    slot: u32,
    word: u64,
}

impl Lease {
    pub(crate) fn new(slot: u32, epoch: Epoch, end: Time) -> Self {
        Self { slot, word: epoch.tag(end.as_millis_ceil()) }
    }

    pub(crate) fn slot(self) -> u32 {
        self.slot
    }
}

/// Why no permit was free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// This lease ran out without a result.
    Expired(Time),
    /// The first lease ends then.
    Until(Time),
}

/// One word per permit: the epoch that took it and when its lease ends, in milliseconds. A word of
/// another epoch is a free permit, so nothing need be cleared between epochs.
pub(crate) struct Probes {
    slots: Box<[AtomicU64]>,
    successes: AtomicU64,
}

/// In a slot: free again within the same epoch.
const FREE: u64 = 0;

impl Probes {
    pub(crate) fn new(permits: u32) -> Self {
        Self { slots: (0..permits).map(|_| AtomicU64::new(FREE)).collect(), successes: AtomicU64::new(0) }
    }

    /// Takes a free permit until `end`.
    pub(crate) fn take(&self, epoch: Epoch, now: Time, end: Time) -> Result<Lease, Taken> {
        let mut first_end = None;
        for (slot, permit) in (0u32..).zip(&self.slots) {
            let mut seen = permit.load(Acquire);
            loop {
                if let Some(ends) = epoch.untag(seen) {
                    let ends = Time::from_millis(ends);
                    first_end = Some(first_end.map_or(ends, |first: Time| first.min(ends)));
                    break;
                }
                let lease = Lease::new(slot, epoch, end);
                match permit.compare_exchange(seen, lease.word, AcqRel, Acquire) {
                    Ok(_) => return Ok(lease),
                    Err(other) => seen = other,
                }
            }
        }
        let ends = first_end.unwrap_or(end);
        Err(if ends <= now { Taken::Expired(ends) } else { Taken::Until(ends) })
    }

    /// Gives a permit back; does nothing when it is another's by now.
    pub(crate) fn give_back(&self, lease: Lease) {
        if let Some(permit) = self.slots.get(lease.slot as usize) {
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

    /// Whether every permit is leased, and no lease has run out.
    pub(crate) fn is_full(&self, epoch: Epoch, now: Time) -> bool {
        let running = |permit: &AtomicU64| {
            epoch.untag(permit.load(Relaxed)).is_some_and(|ends| Time::from_millis(ends) > now)
        };
        self.slots.iter().all(running)
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
