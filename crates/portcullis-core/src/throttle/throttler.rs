//! Counting, and how many to hold back.

use std::fmt;

use super::{
    Config,
    book::{Book, Held},
    cells::{Cell, Totals, bump},
    word::Word,
};
use crate::{
    ConfigError, FailureKind, Mode, Padded, Time,
    sync::{
        Mutex, MutexGuard,
        atomic::{
            AtomicU64,
            Ordering::{AcqRel, Acquire, Relaxed, Release},
        },
        lock,
    },
    time::nanos,
};

/// The chance is at most so wrong as one request in so many makes a difference.
const PRECISION: u64 = 256;

/// A client that holds back; see the [module](super).
///
/// Who is let through, or ends well, writes a count of its shard. Who changes the chance looks at all of them, and
/// nobody waits for it: of several, one looks, and looks again for the others.
pub struct Throttler {
    cells: Box<[Padded<Cell>]>,
    /// On a line that is seldom written.
    told: Padded<Told>,
    book: Mutex<Book>,
}

/// What the last look found.
struct Told {
    word: AtomicU64,
    /// When the newest bucket ends, in nanoseconds.
    end: AtomicU64,
    window: AtomicU64,
    /// A bit for each kind of failure by which a request is not accepted.
    refused_by: AtomicU64,
    requests: AtomicU64,
    accepted: AtomicU64,
    /// The bits of the chance.
    chance: AtomicU64,
    /// How many want a look: the first of them looks.
    wanted: AtomicU64,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The dependency took it.
    Accepted,
    /// The dependency did not take it.
    Refused,
    /// As if it had never been: it says nothing about the dependency.
    Ignored,
}

/// What is to become of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lot {
    /// It is let through, and counted.
    Free,
    /// It is held back with this chance, above 0.
    Chance(f64),
    /// It is let through, and not counted: the throttle is [disabled](crate::Mode::Disabled).
    Disabled,
}

/// What a decision was made by.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
    /// Requests in the window, with those that were held back, and those that hang.
    pub requests: u64,
    /// Requests in the window that were accepted.
    pub accepted: u64,
    /// The chance with which a request is held back.
    pub chance: f64,
}

/// A throttle at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Status {
    /// Requests in the window, with those that were held back, and those that hang.
    pub requests: u64,
    /// Requests in the window that were accepted.
    pub accepted: u64,
    /// Requests in the window that have no answer yet, and for too long.
    pub hanging: u64,
    /// The chance with which a request is held back; 0 while the throttle is disabled.
    pub chance: f64,
    /// Requests accepted since it was made.
    pub accepted_total: u64,
    /// Requests refused by the dependency since it was made.
    pub refused_total: u64,
    /// Requests that ended without a word about the dependency, since it was made.
    pub ignored_total: u64,
    /// Requests held back since it was made.
    pub held_total: u64,
}

impl Throttler {
    /// A throttle that has seen nothing. `shards` is rounded up to a power of two.
    ///
    /// # Errors
    ///
    /// The first field of `config` outside its range.
    pub fn new(config: Config, shards: usize) -> Result<Self, ConfigError> {
        config.check()?;
        let shards = shards.clamp(1, 1024).next_power_of_two();
        let told = Told {
            word: AtomicU64::new(0),
            end: AtomicU64::new(0),
            window: AtomicU64::new(nanos(config.window)),
            refused_by: AtomicU64::new(bits(&config)),
            requests: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            chance: AtomicU64::new(0),
            wanted: AtomicU64::new(0),
        };
        let cells = (0..shards).map(|_| Padded::default()).collect();
        let throttler = Self { cells, told: Padded(told), book: Mutex::new(Book::new(config)) };
        throttler.tell(&throttler.book());
        Ok(throttler)
    }

    /// What is to become of a request that comes now.
    #[inline(always)]
    pub fn lot(&self, now: Time) -> Lot {
        let Told { word, end, .. } = &*self.told;
        if Word(word.load(Relaxed)).is_free() && now.as_nanos() < end.load(Relaxed) {
            return Lot::Free;
        }
        self.lot_slow(now)
    }

    #[cold]
    #[inline(never)]
    fn lot_slow(&self, now: Time) -> Lot {
        let Told { word, end, window, .. } = &*self.told;
        if Word(word.load(Relaxed)).is_disabled() {
            return Lot::Disabled;
        }
        if now.as_nanos() >= end.load(Acquire) {
            self.look(now);
        }
        // Another one is looking. What it has not told yet may be of yesterday.
        let forgotten = end.load(Acquire).saturating_add(window.load(Relaxed));
        match Word(word.load(Acquire)) {
            word if word.is_disabled() => Lot::Disabled,
            word if word.is_free() || now.as_nanos() >= forgotten => Lot::Free,
            _ => Lot::Chance(self.chance()),
        }
    }

    /// Counts a request that is let through. It is to be [settled](Self::settle) on the same shard.
    #[inline(always)]
    pub fn admit(&self, shard: usize) {
        bump(&self.cell(shard).admitted);
    }

    /// Counts a request that is held back, and says by what.
    pub fn hold(&self, shard: usize, now: Time) -> Evidence {
        let evidence = self.evidence();
        let event = bump(&self.cell(shard).held);
        if self.word().is_due(event) {
            self.look(now);
        }
        evidence
    }

    /// Counts that a request was answered, when only its end will tell how: it does not hang.
    pub fn answer(&self, shard: usize, now: impl FnOnce() -> Time) {
        let event = self.cell(shard).open();
        if !self.word().is_quiet() {
            self.ended(event, now);
        }
    }

    /// The same as [`settle`](Self::settle) for a request that was [answered](Self::answer).
    pub fn settle_answered(&self, shard: usize, ended: Ended, now: impl FnOnce() -> Time) {
        self.cell(shard).close();
        self.settle(shard, ended, now);
    }

    /// Counts how a request ended that was let through.
    #[inline(always)]
    pub fn settle(&self, shard: usize, ended: Ended, now: impl FnOnce() -> Time) {
        let cell = self.cell(shard);
        if ended == Ended::Accepted {
            let event = bump(&cell.accepted);
            // It can only lower the chance, if there is one.
            if !self.word().is_quiet() {
                self.ended(event, now);
            }
            return;
        }
        self.settle_slow(cell, ended, now);
    }

    #[cold]
    #[inline(never)]
    fn settle_slow(&self, cell: &Cell, ended: Ended, now: impl FnOnce() -> Time) {
        let count = if ended == Ended::Refused { &cell.refused } else { &cell.ignored };
        self.ended(bump(count), now);
    }

    #[cold]
    #[inline(never)]
    fn ended(&self, event: u64, now: impl FnOnce() -> Time) {
        let word = self.word();
        if !word.is_disabled() && word.is_due(event) {
            self.look(now());
        }
    }

    /// Whether a failure of this kind means that the request was not accepted.
    #[inline]
    pub fn refuses(&self, kind: FailureKind) -> bool {
        self.told.refused_by.load(Relaxed) & (1 << kind.index()) != 0
    }

    /// By what requests are held back, as of the last look.
    pub fn evidence(&self) -> Evidence {
        let Told { requests, accepted, .. } = &*self.told;
        Evidence { requests: requests.load(Relaxed), accepted: accepted.load(Relaxed), chance: self.chance() }
    }

    /// Everything there is to see.
    pub fn status(&self, now: Time) -> Status {
        let (totals, Held { requests, accepted, hanging }) = {
            let book = self.look_under_lock(now);
            (Totals::of(&self.cells), book.held())
        };
        Status {
            requests,
            accepted,
            hanging,
            chance: self.chance(),
            accepted_total: totals.accepted,
            refused_total: totals.refused,
            ignored_total: totals.ignored,
            held_total: totals.held,
        }
    }

    /// The rules.
    pub fn config(&self) -> Config {
        self.book().config.clone()
    }

    /// Goes on with other rules, and with what the window knows that fits into it.
    ///
    /// # Errors
    ///
    /// The first field outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: Config, now: Time) -> Result<(), ConfigError> {
        config.check()?;
        let mut book = self.look_under_lock(now);
        self.told.window.store(nanos(config.window), Relaxed);
        self.told.refused_by.store(bits(&config), Relaxed);
        book.change(config, now);
        self.tell(&book);
        Ok(())
    }

    /// Forgets everything it has seen, but for the totals.
    pub fn reset(&self, now: Time) {
        let mut book = self.look_under_lock(now);
        book.clear();
        self.tell(&book);
    }

    /// What outlives the process: requests in the window, but for those that hang, and those that were accepted.
    pub fn memory(&self, now: Time) -> (u64, u64) {
        let book = self.look_under_lock(now);
        let Held { requests, accepted, hanging } = book.held();
        (requests.saturating_sub(hanging), accepted)
    }

    /// Goes on with what another throttle has seen in its window, as if it had been now.
    pub fn resume(&self, requests: u64, accepted: u64, now: Time) {
        let mut book = self.look_under_lock(now);
        book.resume(requests, accepted.min(requests));
        self.tell(&book);
    }

    /// Whether the window is such that a new throttle would do the same: for keys to be forgotten.
    pub fn holds_nothing_back(&self, now: Time) -> bool {
        let book = self.look_under_lock(now);
        let Held { requests, accepted, .. } = book.held();
        requests == accepted
    }

    fn chance(&self) -> f64 {
        f64::from_bits(self.told.chance.load(Relaxed))
    }

    fn word(&self) -> Word {
        Word(self.told.word.load(Relaxed))
    }

    #[inline(always)]
    fn cell(&self, shard: usize) -> &Cell {
        // A power of two of shards: the mask never leaves the slice.
        &self.cells[shard & (self.cells.len() - 1)]
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.book)
    }

    /// Looks, unless somebody does: then that one looks again, when it is done.
    #[cold]
    #[inline(never)]
    fn look(&self, now: Time) {
        let wanted = &self.told.wanted;
        if wanted.fetch_add(1, AcqRel) > 0 {
            return;
        }
        loop {
            // Whoever has counted before it wanted a look is seen by the one that follows this.
            let seen = wanted.load(Acquire);
            drop(self.look_under_lock(now));
            if wanted.compare_exchange(seen, 0, AcqRel, Acquire).is_ok() {
                return;
            }
        }
    }

    fn look_under_lock(&self, now: Time) -> MutexGuard<'_, Book> {
        let mut book = self.book();
        // Summed under the lock, so that no sum is before the last one.
        book.add(Totals::of(&self.cells), now);
        self.tell(&book);
        book
    }

    /// Tells everybody what is in the book. Under its lock.
    fn tell(&self, book: &Book) {
        let Held { requests, accepted, .. } = book.held();
        let told = &*self.told;
        told.requests.store(requests, Relaxed);
        told.accepted.store(accepted, Relaxed);
        let disabled = book.config.mode == Mode::Disabled;
        let chance = if disabled { 0.0 } else { book.config.chance(requests, accepted) };
        told.chance.store(chance.to_bits(), Relaxed);
        let word = match Word::new(requests / PRECISION / self.cells.len() as u64) {
            _ if disabled => Word::DISABLED,
            word if chance > 0.0 => word.holds(),
            word if book.config.is_too_few(requests, accepted) => word.too_few(),
            word => word,
        };
        told.word.store(word.0, Release);
        // Last: who finds the bucket begun finds the chance of it.
        told.end.store(book.end().as_nanos(), Release);
    }
}

/// A bit for each kind of failure.
fn bits(config: &Config) -> u64 {
    config.refused_by.iter().fold(0, |bits, kind| bits | 1 << kind.index())
}

impl fmt::Debug for Throttler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttler").field("evidence", &self.evidence()).finish_non_exhaustive()
    }
}
