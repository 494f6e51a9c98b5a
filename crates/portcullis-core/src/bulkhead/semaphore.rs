//! Permits, and the line in front of them.

use std::{
    fmt,
    task::{Poll, Waker},
};

use super::{
    Config, Demand, Turn,
    queue::Queue,
    word::{RULES, WAITERS, Word},
};
use crate::{
    ConfigError, Mode, Priority, Time,
    sync::{
        Mutex,
        atomic::{
            AtomicI64, AtomicU8, AtomicU32,
            Ordering::{AcqRel, Acquire, Relaxed},
        },
        lock,
    },
};

/// A counted set of permits with a bounded queue, whose rules can change at any time.
///
/// The time is asked for only where somebody waits and there are rules about how long.
pub struct Semaphore {
    /// Free permits, and what keeps a call from simply taking one; see [`Word`].
    word: AtomicI64,
    /// What of the rules is looked at without the lock; written under it.
    limit: AtomicU32,
    max_queued: AtomicU32,
    mode: AtomicU8,
    floors: [AtomicU32; Priority::COUNT],
    /// The line's length, for those who only want to know whether it is full.
    queued: AtomicU32,
    line: Mutex<Line>,
}

struct Line {
    queue: Queue,
    config: Config,
    /// Whether [`WAITERS`] is taken off the word.
    announced: bool,
}

/// A place in the line. It must be [polled](Semaphore::poll) to its end or [left](Semaphore::leave).
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a place that is neither polled nor left keeps the permits that it is handed"]
pub struct Place(u64);

/// What queueing came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// There was room after all: so many permits are taken.
    Acquired(u32),
    /// Wait here.
    Waiting(Place),
}

/// There is no room, and the queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// How many wait.
    pub queued: u32,
    /// Permits that are free, but not enough, or kept for others.
    pub free: u32,
}

impl Semaphore {
    /// All permits free, nobody waiting.
    ///
    /// # Errors
    ///
    /// The first field of `config` outside its range.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let semaphore = Self {
            word: AtomicI64::new(word_of(&config)),
            limit: AtomicU32::new(0),
            max_queued: AtomicU32::new(0),
            mode: AtomicU8::new(0),
            floors: [(); Priority::COUNT].map(|()| AtomicU32::new(0)),
            queued: AtomicU32::new(0),
            line: Mutex::new(Line { queue: Queue::default(), config: config.clone(), announced: false }),
        };
        semaphore.publish(&config);
        Ok(semaphore)
    }

    /// Takes one permit for a call of normal priority, if one is free and nobody waits. It may fail where
    /// [`try_acquire`](Self::try_acquire) does not; what it takes is the same as what that takes.
    #[inline]
    pub fn try_acquire_one(&self) -> bool {
        let word = self.word.load(Relaxed);
        word > 0
            && match self.word.compare_exchange(word, word - 1, AcqRel, Relaxed) {
                Ok(_) => true,
                Err(now) => self.try_acquire_again(now),
            }
    }

    /// Others came in between. Apart, because where nobody does, a loop costs more.
    #[inline(never)]
    fn try_acquire_again(&self, mut word: i64) -> bool {
        while word > 0 {
            match self.word.compare_exchange_weak(word, word - 1, AcqRel, Relaxed) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    /// Takes the permits asked for, if they are free and nobody waits; says how many those are.
    pub fn try_acquire(&self, demand: Demand) -> Option<u32> {
        if self.mode() == Mode::Disabled {
            return Some(0);
        }
        let mut word = self.word.load(Relaxed);
        loop {
            let (take, floor) = self.needs(demand);
            let now = Word(word);
            if now.has_waiters() || now.free() < i64::from(take + floor) {
                return None;
            }
            match self.word.compare_exchange_weak(word, word - i64::from(take), AcqRel, Relaxed) {
                Ok(_) => return Some(take),
                Err(now) => word = now,
            }
        }
    }

    /// Takes the permits asked for whether or not they are free, for a call that passes though it should be
    /// refused; says how many those are.
    pub fn force(&self, demand: Demand) -> u32 {
        let take = if self.mode() == Mode::Disabled { 0 } else { self.needs(demand).0 };
        self.word.fetch_sub(i64::from(take), AcqRel);
        take
    }

    /// Gives so many permits back: to who is next, if somebody waits.
    #[inline]
    pub fn release(&self, taken: u32, now: impl Fn() -> Time) {
        let before = self.word.fetch_add(i64::from(taken), AcqRel);
        // Only a flag makes it negative, or more calls than the limit.
        if before < 0 {
            self.released(Word(before), &now);
        }
    }

    #[cold]
    #[inline(never)]
    fn released(&self, before: Word, now: &dyn Fn() -> Time) {
        if before.has_waiters() {
            self.hand_over(now);
        }
    }

    /// Takes a place in the line, or the permits if they are free by now.
    ///
    /// In [shadow](Mode::Shadow) it takes them anyway, as long as no more are missing than calls may wait.
    ///
    /// # Errors
    ///
    /// [`Full`] when the line is as long as it may be.
    pub fn enqueue(&self, demand: Demand, now: impl Fn() -> Time) -> Result<Enqueued, Full> {
        match self.mode() {
            Mode::Disabled => Ok(Enqueued::Acquired(0)),
            Mode::Shadow => self.pass(demand),
            _ => self.wait(demand, &now),
        }
    }

    fn pass(&self, demand: Demand) -> Result<Enqueued, Full> {
        let (take, floor) = self.needs(demand);
        let missing = i64::from(take + floor) - self.free();
        let room = missing <= i64::from(self.max_queued.load(Relaxed));
        if room { Ok(Enqueued::Acquired(self.force(demand))) } else { Err(self.full()) }
    }

    fn wait(&self, demand: Demand, now: &dyn Fn() -> Time) -> Result<Enqueued, Full> {
        self.may_enter(demand)?;
        let mut line = lock(&self.line);
        let has_room = self.has_room();
        let since = line.config.codel.map(|_| now());
        let number = line.queue.push(demand, since);
        // From here on permits that come back go through the lock; those that came before are seen now.
        if !std::mem::replace(&mut line.announced, true) {
            self.word.fetch_sub(WAITERS, AcqRel);
        }
        let taken = self.turn_at_once(&mut line, number, now);
        if taken.is_none() && !has_room {
            line.queue.remove(number);
        }
        self.length_changed(&mut line);
        match taken {
            Some(taken) => Ok(Enqueued::Acquired(taken)),
            None if has_room => Ok(Enqueued::Waiting(Place(number))),
            None => Err(self.full()),
        }
    }

    /// Without the lock: whether the line has room, or there are permits that the call could have before those
    /// who wait, because it matters more.
    fn may_enter(&self, demand: Demand) -> Result<(), Full> {
        let (take, floor) = self.needs(demand);
        let may = self.has_room() || self.free() >= i64::from(take + floor);
        if may { Ok(()) } else { Err(self.full()) }
    }

    /// The permits of who has just come, if it is his turn: those in front wait for more than there is, or are
    /// just being called.
    fn turn_at_once(&self, line: &mut Line, number: u64, now: &dyn Fn() -> Time) -> Option<u32> {
        line.queue.first(line.config.order).filter(|first| first.0 == number)?;
        let (_, turn) = self.turn(line, now)?;
        line.queue.call(number, turn);
        let Turn::Granted(taken) = turn else { return None };
        line.queue.fetch(number);
        Some(taken)
    }

    /// Ready once the place's turn has come.
    pub fn poll(&self, place: &Place, waker: &Waker) -> Poll<Turn> {
        let mut line = lock(&self.line);
        if let Some(turn) = line.queue.fetch(place.0) {
            return Poll::Ready(turn);
        }
        let replaced = line.queue.register(place.0, waker);
        // Only now: with the last waker of a task may go a place in this very line.
        drop(line);
        drop(replaced);
        Poll::Pending
    }

    /// Leaves the line. Permits that were handed over meanwhile go to who is next, and so do those that are
    /// enough for whoever stood behind.
    pub fn leave(&self, place: Place, now: impl Fn() -> Time) {
        let mut line = lock(&self.line);
        if let Some(turn) = line.queue.fetch(place.0) {
            drop(line);
            if let Turn::Granted(taken) = turn {
                self.release(taken, now);
            }
            return;
        }
        let left_behind = line.queue.remove(place.0);
        self.length_changed(&mut line);
        drop(line); // before the waker, as in `poll`
        self.hand_over(&now);
        drop(left_behind);
    }

    /// Changes the rules. Calls in flight go on, even where the new limit is below what they hold; who waits
    /// keeps waiting, in the new order, and goes on at once if there is room by the new rules.
    ///
    /// # Errors
    ///
    /// The first field outside its range; nothing has changed then.
    pub fn update(
        &self,
        change: impl FnOnce(&Config) -> Config,
        now: impl Fn() -> Time,
    ) -> Result<(), ConfigError> {
        let mut line = lock(&self.line);
        let config = change(&line.config);
        config.check()?;
        self.publish(&config);
        // What is taken stays taken.
        self.word.fetch_add(word_of(&config) - word_of(&line.config), AcqRel);
        line.config = config;
        drop(line);
        self.hand_over(&now);
        Ok(())
    }

    /// Permits in use; more than there are, after the limit was lowered or calls passed that would have been
    /// refused.
    pub fn in_flight(&self) -> u32 {
        let line = lock(&self.line); // or the limit could change in between
        let used = i64::from(line.config.max_in_flight) - self.free();
        used.clamp(0, i64::from(u32::MAX)) as u32
    }

    /// Permits that are free, by all rules but those about classes.
    pub fn available(&self) -> u32 {
        self.free().max(0) as u32
    }

    /// Calls that wait.
    pub fn queued(&self) -> u32 {
        self.queued.load(Relaxed)
    }

    /// Permits there are.
    pub fn limit(&self) -> u32 {
        self.limit.load(Relaxed)
    }

    /// Whether its refusals are to be enforced.
    pub fn mode(&self) -> Mode {
        mode_of(self.mode.load(Relaxed))
    }

    /// Whether any call that came now would be refused, whatever it weighs and how much it matters.
    #[inline]
    pub fn is_refusing(&self) -> bool {
        let word = self.word.load(Relaxed);
        word <= 0 && self.refuses_all(Word(word))
    }

    /// The rules.
    pub fn config(&self) -> Config {
        lock(&self.line).config.clone()
    }

    #[inline(never)]
    fn refuses_all(&self, word: Word) -> bool {
        word.free() <= 0 && !self.has_room() && self.mode() == Mode::Enforce
    }

    /// Calls those whose turn has come, one by one, because a waker may do anything.
    fn hand_over(&self, now: &dyn Fn() -> Time) {
        while let Some(waker) = self.call_next(now) {
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    fn call_next(&self, now: &dyn Fn() -> Time) -> Option<Option<Waker>> {
        let mut line = lock(&self.line);
        let (number, turn) = self.turn(&mut line, now)?;
        let waker = line.queue.call(number, turn);
        self.length_changed(&mut line);
        Some(waker)
    }

    /// What the turn of who is next comes to, if it has come; permits are taken by then. While somebody
    /// waits, permits are taken under the lock only, but for calls that pass beyond the limit.
    fn turn(&self, line: &mut Line, now: &dyn Fn() -> Time) -> Option<(u64, Turn)> {
        let (number, waiter) = line.queue.first(line.config.order)?;
        let (take, floor) = self.needs(waiter.demand);
        match line.config.mode {
            Mode::Disabled => return Some((number, Turn::Granted(0))),
            Mode::Shadow => {}
            _ if self.free() < i64::from(take + floor) => return None,
            _ => {
                if let (Some(codel), Some(since)) = (line.config.codel, waiter.since) {
                    let now = now();
                    let waited = now.since(since);
                    if line.queue.watch.drops(&codel, waited, now) {
                        return Some((number, Turn::Dropped { waited, target: codel.target }));
                    }
                }
            }
        }
        self.word.fetch_sub(i64::from(take), AcqRel);
        Some((number, Turn::Granted(take)))
    }

    /// How many permits a call takes, and how many must be left then.
    fn needs(&self, demand: Demand) -> (u32, u32) {
        let floor = self.floors[demand.priority as usize].load(Relaxed);
        let most = self.limit().saturating_sub(floor).max(1);
        (demand.weight.clamp(1, most), floor)
    }

    fn free(&self) -> i64 {
        Word(self.word.load(Acquire)).free()
    }

    fn has_room(&self) -> bool {
        self.queued() < self.max_queued.load(Relaxed)
    }

    fn full(&self) -> Full {
        Full { queued: self.queued(), free: self.available() }
    }

    /// Publishes the length, and opens the way without the lock again once the line is empty.
    fn length_changed(&self, line: &mut Line) {
        self.queued.store(line.queue.len() as u32, Relaxed);
        if line.queue.is_empty() && std::mem::take(&mut line.announced) {
            self.word.fetch_add(WAITERS, AcqRel);
        }
    }

    fn publish(&self, config: &Config) {
        self.limit.store(config.max_in_flight, Relaxed);
        self.max_queued.store(config.max_queued, Relaxed);
        self.mode.store(code_of(config.mode), Relaxed);
        for priority in Priority::ALL {
            self.floors[priority as usize].store(config.floor(priority), Relaxed);
        }
    }
}

/// The word while nothing is taken.
fn word_of(config: &Config) -> i64 {
    let has_rules = config.mode == Mode::Disabled || config.floor(Priority::Normal) > 0;
    i64::from(config.max_in_flight) - if has_rules { RULES } else { 0 }
}

/// A mode in a byte: its percentage, or one of three that are none.
fn code_of(mode: Mode) -> u8 {
    match mode {
        Mode::EnforcePercent(percent) => percent,
        Mode::Enforce => 101,
        Mode::Shadow => 102,
        Mode::Disabled => 103,
    }
}

fn mode_of(code: u8) -> Mode {
    match code {
        101 => Mode::Enforce,
        102 => Mode::Shadow,
        103 => Mode::Disabled,
        percent => Mode::EnforcePercent(percent),
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("in_flight", &self.in_flight())
            .field("queued", &self.queued())
            .field("limit", &self.limit())
            .finish_non_exhaustive()
    }
}
