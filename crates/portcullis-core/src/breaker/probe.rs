//! The permits of a half-open breaker, each leased for a time.

use std::sync::OnceLock;

use super::state::Epoch;
use crate::{
    Time,
    sync::atomic::{
        AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
    },
};

/// As many permits as most breakers have are always there; the others are made when they are asked for.
const FIRST: usize = 4;
const MOST: usize = 1000;

/// One word per permit: the epoch that took it and when its lease ends, in milliseconds. A word of an
/// older epoch is a free permit, and one of a newer epoch means that the asker came too late.
pub(crate) struct Probes {
    first: [AtomicU64; FIRST],
    rest: OnceLock<Box<[AtomicU64]>>,
    /// How many permits the epoch has.
    permits: AtomicU64,
    /// How its probes ended: in one word, so that of two that end at once one sees both.
    results: AtomicU64,
}

/// In a slot: free, in whatever epoch.
const FREE: u64 = 0;
/// One failure among the results; the successes are below.
const FAILURE: u64 = 1 << 24;

impl Default for Probes {
    fn default() -> Self {
        Self {
            first: std::array::from_fn(|_| AtomicU64::new(FREE)),
            rest: OnceLock::new(),
            permits: AtomicU64::new(FREE),
            results: AtomicU64::new(FREE),
        }
    }
}

impl Probes {
    /// Forgets older epochs, before they lie so far back that they look newer. `permits` are those of this
    /// one, however many there will be by then.
    pub(crate) fn begin(&self, epoch: Epoch, permits: u32) {
        clear(&self.results, epoch);
        self.made().for_each(|permit| clear(permit, epoch));
        self.permits.store(epoch.tag(permits.into()), Release);
    }

    /// The permits of an epoch; what there are now while it has not quite begun, or when it is over.
    fn permits(&self, epoch: Epoch, now: u32) -> usize {
        epoch.untag(self.permits.load(Acquire)).unwrap_or(now.into()) as usize
    }

    fn made(&self) -> impl Iterator<Item = &AtomicU64> {
        self.first.iter().chain(self.rest.get().into_iter().flatten())
    }

    fn slots(&self, permits: usize) -> impl Iterator<Item = &AtomicU64> {
        let rest = (permits > FIRST).then(|| self.rest.get_or_init(more));
        self.first.iter().chain(rest.into_iter().flatten()).take(permits)
    }

    /// Takes a free permit until `end` and says which, or when the first lease ends; `None` when the epoch is over.
    pub(crate) fn take(&self, epoch: Epoch, permits: u32, end: Time) -> Result<u16, Option<Time>> {
        let mut first_end = None;
        for (slot, permit) in (0u16..).zip(self.slots(self.permits(epoch, permits))) {
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
                match permit.compare_exchange(seen, epoch.tag(end.as_millis()), AcqRel, Acquire) {
                    Ok(_) => return Ok(slot),
                    Err(other) => seen = other,
                }
            }
        }
        Err(first_end)
    }

    /// Gives a permit back; does nothing when its epoch is over. Until then nobody else can have got it,
    /// however long its lease was.
    pub(crate) fn give_back(&self, epoch: Epoch, slot: u16) {
        let Some(permit) = self.made().nth(slot.into()) else { return };
        let seen = permit.load(Acquire);
        if epoch.untag(seen).is_some() {
            let _ = permit.compare_exchange(seen, FREE, AcqRel, Relaxed);
        }
    }

    /// Counts a probe's result and returns how many there are of each in this epoch: successes, failures.
    pub(crate) fn count(&self, epoch: Epoch, success: bool) -> (u64, u64) {
        split(count(&self.results, if success { 1 } else { FAILURE }, epoch))
    }

    /// When the first lease ends, if every permit is leased.
    pub(crate) fn first_end(&self, epoch: Epoch, permits: u32) -> Option<Time> {
        let mut first_end = None;
        for permit in self.slots(self.permits(epoch, permits)) {
            let ends = Time::from_millis(epoch.untag(permit.load(Acquire))?);
            first_end = Some(first_end.map_or(ends, |first: Time| first.min(ends)));
        }
        first_end
    }

    /// Permits that are leased in this epoch.
    pub(crate) fn in_flight(&self, epoch: Epoch) -> u32 {
        let leased = |permit: &&AtomicU64| epoch.untag(permit.load(Relaxed)).is_some();
        self.made().filter(leased).count() as u32
    }

    /// Successful probes of this epoch.
    pub(crate) fn successes(&self, epoch: Epoch) -> u32 {
        split(epoch.untag(self.results.load(Acquire)).unwrap_or(0)).0 as u32
    }
}

fn more() -> Box<[AtomicU64]> {
    (FIRST..MOST).map(|_| AtomicU64::new(FREE)).collect()
}

/// Successes and failures, of a word that counts both.
fn split(results: u64) -> (u64, u64) {
    (results % FAILURE, results / FAILURE)
}

/// Adds to a count of `epoch` and returns it, unless a newer one counts already.
fn count(word: &AtomicU64, one: u64, epoch: Epoch) -> u64 {
    let mut seen = word.load(Acquire);
    loop {
        let count = match epoch.untag(seen) {
            Some(count) => count + one,
            None if seen == FREE || epoch.is_after(Epoch::of(seen)) => one,
            None => return 0,
        };
        match word.compare_exchange(seen, epoch.tag(count), AcqRel, Acquire) {
            Ok(_) => return count,
            Err(other) => seen = other,
        }
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
