//! Counts per shard: each thread writes lines of its own, a reader sums them.

use std::{fmt, sync::Arc};

use super::{
    Admission, Env,
    state::{Epoch, VALUE_MASK},
};
use crate::{
    Padded, Time,
    sync::atomic::{
        AtomicBool, AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
    },
};

/// The end of a bucket of time when there are no buckets.
const NEVER: u64 = u64::MAX;
/// The last end that a bucket may have; that of the last one of all, which ends with time.
const LAST: u64 = NEVER - 1;

/// One shard's counts. `successes` is tagged with its epoch; the others only ever grow.
#[derive(Default)]
pub(crate) struct Cell {
    /// Successes of the epoch, and with a time window those of one bucket.
    successes: AtomicU64,
    /// When that bucket ends, in nanoseconds. Written under the breaker's lock.
    until: AtomicU64,
    /// Successes that are in no window, or have been moved to a bucket.
    past: AtomicU64,
    /// Failures that are in no window.
    pub(crate) failures: AtomicU64,
    pub(crate) ignored: AtomicU64,
    pub(crate) abandoned: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) bypassed: AtomicU64,
    pub(crate) late: AtomicU64,
}

/// Totals over all shards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) successes: u64,
    pub(crate) failures: u64,
    pub(crate) ignored: u64,
    pub(crate) abandoned: u64,
    pub(crate) refused: u64,
    pub(crate) bypassed: u64,
    pub(crate) late: u64,
}

pub(crate) enum Counters {
    /// For breakers of which there are many: small, and threads share it.
    One(Cell),
    Shards(Box<[Tally]>),
}

/// One shard's counts, for who has looked up the shard already.
#[derive(Clone)]
pub struct Tally(Arc<Padded<Shard>>);

/// One of several cells.
#[derive(Default)]
struct Shard {
    cell: Cell,
    /// Whether no other one has ever held a success. Under the breaker's lock.
    alone: AtomicBool,
}

impl Tally {
    fn new(timed: bool) -> Self {
        Self(Arc::new(Padded(Shard { cell: Cell::new(timed), ..Shard::default() })))
    }

    /// As [`Machine::succeed`](super::Machine::succeed), on this shard.
    #[inline]
    pub fn succeed(&self, admission: &Admission, env: &impl Env) -> bool {
        admission.is_plain() && self.0.cell.success(admission.epoch(), env)
    }

    #[inline]
    pub(crate) fn refused(&self) {
        bump(&self.0.cell.refused);
    }

    /// All successes, with their tag, if no other shard has any. To be asked under the lock.
    #[inline(always)]
    pub(super) fn all_successes(&self) -> Option<u64> {
        self.0.alone.load(Relaxed).then(|| self.0.cell.successes.load(Acquire))
    }
}

impl fmt::Debug for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tally").finish_non_exhaustive()
    }
}

impl Counters {
    /// `shards` is rounded up to a power of two.
    pub(crate) fn new(shards: usize, timed: bool) -> Self {
        let shards = shards.clamp(1, 1024).next_power_of_two();
        Self::Shards((0..shards).map(|_| Tally::new(timed)).collect())
    }

    pub(crate) fn one(timed: bool) -> Self {
        Self::One(Cell::new(timed))
    }

    #[inline]
    pub(crate) fn cell(&self, shard: usize) -> &Cell {
        match self {
            // A power of two of shards: the mask never leaves the slice.
            Self::Shards(cells) => &cells[shard & (cells.len() - 1)].0.cell,
            Self::One(cell) => cell,
        }
    }

    /// The counts of a shard. When all threads share one, they are nobody's: no success is one of theirs.
    pub(crate) fn tally(&self, shard: usize) -> Tally {
        match self {
            Self::Shards(cells) => cells[shard & (cells.len() - 1)].clone(),
            Self::One(_) => Tally(Arc::default()),
        }
    }

    fn cells(&self) -> impl Iterator<Item = &Cell> {
        let (one, shards) = match self {
            Self::One(cell) => (Some(cell), &[][..]),
            Self::Shards(cells) => (None, &cells[..]),
        };
        one.into_iter().chain(shards.iter().map(|shard| &shard.0.cell))
    }

    /// Successes of `epoch` that no bucket holds. Every success that was counted before is in the sum.
    #[inline]
    pub(crate) fn successes_of(&self, epoch: Epoch) -> u64 {
        match self {
            Self::Shards(cells) => cells.iter().map(|shard| shard.0.cell.successes_of(epoch)).sum(),
            Self::One(cell) => cell.successes_of(epoch),
        }
    }

    /// The same with their tag, if that is one look. To be asked under the lock.
    #[inline(always)]
    pub(super) fn all_successes(&self, shard: usize) -> Option<u64> {
        match self {
            Self::Shards(cells) => cells[shard & (cells.len() - 1)].all_successes(),
            Self::One(cell) => Some(cell.successes.load(Acquire)),
        }
    }

    /// Begins to count successes in a cell in which there never was one. Under the lock, so that who adds up
    /// knows where to look.
    pub(crate) fn join(&self, cell: &Cell, epoch: Epoch) {
        cell.enter(epoch);
        let Self::Shards(cells) = self else { return };
        let is_alone = cells.iter().filter(|shard| !shard.0.cell.is_new()).count() == 1;
        cells.iter().for_each(|shard| shard.0.alone.store(is_alone && !shard.0.cell.is_new(), Relaxed));
    }

    /// Each shard, and when its bucket of time ends, if it is in one. To be asked under the lock.
    pub(crate) fn buckets(&self) -> impl Iterator<Item = (Option<Time>, &Cell)> {
        self.cells().map(|cell| {
            let until = cell.until.load(Relaxed);
            ((until != 0 && until != NEVER).then(|| Time::from_nanos(until)), cell)
        })
    }

    /// Moves every shard to `epoch`, so that no count of an older one can ever be taken for its own; but for
    /// those that [have yet to join](Self::join).
    pub(crate) fn begin(&self, epoch: Epoch) {
        self.cells().filter(|cell| !cell.is_new()).for_each(|cell| cell.enter(epoch));
    }

    /// When the buckets of time end that successes are to be put into: a time that is over for those still
    /// to come, `None` for none at all. To be said under the lock.
    pub(crate) fn set_end(&self, end: Option<Time>) {
        let until = end.map_or(NEVER, |end| end.as_nanos().min(LAST));
        self.cells().for_each(|cell| cell.until.store(until, Relaxed));
    }

    pub(crate) fn totals(&self) -> Totals {
        self.cells().fold(Totals::default(), |mut sum, cell| {
            sum.successes += (cell.successes.load(Acquire) & VALUE_MASK) + cell.past.load(Relaxed);
            sum.failures += cell.failures.load(Relaxed);
            sum.ignored += cell.ignored.load(Relaxed);
            sum.abandoned += cell.abandoned.load(Relaxed);
            sum.refused += cell.refused.load(Relaxed);
            sum.bypassed += cell.bypassed.load(Relaxed);
            sum.late += cell.late.load(Relaxed);
            sum
        })
    }
}

impl Cell {
    fn new(timed: bool) -> Self {
        Self { until: AtomicU64::new(if timed { 0 } else { NEVER }), ..Self::default() }
    }

    /// Counts a success of `epoch` the short way; `false`, and nothing is counted, when another epoch or
    /// another bucket of time has begun, or another thread was faster.
    #[inline]
    pub(crate) fn success(&self, epoch: Epoch, env: &impl Env) -> bool {
        let until = self.until.load(Relaxed);
        if until != NEVER && env.coarse().as_nanos() >= until {
            return false;
        }
        let seen = self.successes.load(Relaxed);
        epoch.untag(seen).is_some()
            && self.successes.compare_exchange(seen, seen + 1, AcqRel, Relaxed).is_ok()
    }

    /// Counts a success of `epoch` in whatever bucket of time the shard is in.
    pub(crate) fn success_slow(&self, epoch: Epoch) {
        loop {
            self.enter(epoch);
            let seen = self.successes.load(Relaxed);
            if epoch.untag(seen).is_none() {
                return bump(&self.late); // the shard has moved on to a newer epoch
            }
            if self.successes.compare_exchange(seen, seen + 1, AcqRel, Relaxed).is_ok() {
                return;
            }
        }
    }

    /// Whether it never was of any epoch.
    pub(crate) fn is_new(&self) -> bool {
        self.successes.load(Relaxed) == 0
    }

    /// Whether the shard has yet to be moved on to `epoch`.
    pub(crate) fn is_behind(&self, epoch: Epoch) -> bool {
        let seen = self.successes.load(Acquire);
        seen != 0 && epoch.is_after(Epoch::of(seen))
    }

    /// When the shard's bucket of time ended, if it did by `now`.
    pub(crate) fn ended(&self, now: u64) -> Option<u64> {
        let until = self.until.load(Relaxed);
        (until != NEVER && now >= until).then_some(until)
    }

    /// Takes the successes of `epoch` out, for the bucket that has ended, and begins the one that ends at
    /// `until`. Under the lock.
    pub(crate) fn roll(&self, epoch: Epoch, until: u64) -> u64 {
        let mut seen = self.successes.load(Acquire);
        let taken = loop {
            let Some(count) = epoch.untag(seen) else { break 0 };
            match self.successes.compare_exchange(seen, epoch.tag(0), AcqRel, Acquire) {
                Ok(_) => break count,
                Err(other) => seen = other,
            }
        };
        self.past.fetch_add(taken, Relaxed);
        // After the count is out, so that who sees the new end counts in the new bucket.
        self.until.store(until.min(LAST), Release);
        taken
    }

    /// Counts a success that belongs to no window.
    pub(crate) fn past_success(&self) {
        bump(&self.past);
    }

    #[inline]
    pub(crate) fn successes_of(&self, epoch: Epoch) -> u64 {
        epoch.untag(self.successes.load(Acquire)).unwrap_or(0)
    }

    /// Makes the count one of `epoch`, unless it is of a newer one; what it held goes to `past`.
    fn enter(&self, epoch: Epoch) {
        loop {
            let seen = self.successes.load(Acquire);
            if !epoch.is_after(Epoch::of(seen)) && seen != 0 {
                return;
            }
            if self.successes.compare_exchange(seen, epoch.tag(0), AcqRel, Relaxed).is_ok() {
                self.past.fetch_add(seen & VALUE_MASK, Relaxed);
                return;
            }
        }
    }
}

/// Adds one.
#[inline]
pub(crate) fn bump(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
