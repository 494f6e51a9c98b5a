//! Permits, and the line in front of them.

use std::{
    fmt,
    task::{Poll, Waker},
};

use super::{Config, queue::Queue};
use crate::{
    ConfigError,
    sync::{
        Mutex,
        atomic::{
            AtomicU64,
            Ordering::{AcqRel, Acquire, Relaxed},
        },
        lock,
    },
};

/// Set while somebody waits: permits then go through the lock, to the first in line.
const WAITERS: u64 = 1 << 63;

/// A counted set of permits with a bounded first-in-first-out queue.
pub struct Semaphore {
    /// Free permits, and [`WAITERS`].
    free: AtomicU64,
    queue: Mutex<Queue>,
    /// The queue's length, for those who only want to know whether it is full.
    queued: AtomicU64,
    config: Config,
}

/// A place in the line. It must be [polled](Semaphore::poll) to its end or [left](Semaphore::leave).
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a place that is neither polled nor left keeps a permit that it is handed"]
pub struct Place(u64);

/// What queueing came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// A permit was free after all, and is now taken.
    Acquired,
    /// Wait here.
    Waiting(Place),
}

/// The queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// How many wait.
    pub queued: u32,
}

impl Semaphore {
    /// All permits free, nobody waiting.
    ///
    /// # Errors
    ///
    /// The first field of `config` outside its range.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let free = AtomicU64::new(u64::from(config.max_in_flight));
        Ok(Self { free, queue: Mutex::new(Queue::default()), queued: AtomicU64::new(0), config })
    }

    /// Takes a permit if one is free and nobody waits for it.
    #[inline]
    pub fn try_acquire(&self) -> bool {
        let mut free = self.free.load(Relaxed);
        loop {
            if free == 0 || free & WAITERS != 0 {
                return false;
            }
            match self.free.compare_exchange_weak(free, free - 1, AcqRel, Relaxed) {
                Ok(_) => return true,
                Err(now) => free = now,
            }
        }
    }

    /// Gives a permit back: to the first in line, if somebody waits.
    #[inline]
    pub fn release(&self) {
        let mut free = self.free.load(Relaxed);
        while free & WAITERS == 0 {
            match self.free.compare_exchange_weak(free, free + 1, AcqRel, Relaxed) {
                Ok(_) => return,
                Err(now) => free = now,
            }
        }
        self.hand_over();
    }

    /// Takes a place at the end of the line, or a permit if one is free by now.
    ///
    /// # Errors
    ///
    /// [`Full`] when the line is as long as it may be.
    pub fn enqueue(&self) -> Result<Enqueued, Full> {
        self.has_room()?;
        let mut queue = lock(&self.queue);
        self.has_room()?;
        // From here on permits that come back go through the lock; one that came before is seen now.
        let before = self.free.fetch_or(WAITERS, AcqRel);
        if before & WAITERS == 0 && before > 0 {
            self.free.fetch_sub(1, AcqRel);
            self.free.fetch_and(!WAITERS, AcqRel);
            return Ok(Enqueued::Acquired);
        }
        let place = Place(queue.push());
        self.queue_changed(&queue);
        Ok(Enqueued::Waiting(place))
    }

    /// Ready once the place has been handed a permit, which is then the caller's to release.
    pub fn poll(&self, place: &Place, waker: &Waker) -> Poll<()> {
        let mut queue = lock(&self.queue);
        if queue.fetch(place.0) {
            return Poll::Ready(());
        }
        let replaced = queue.register(place.0, waker);
        // Only now: with the last waker of a task may go a place in this very line.
        drop(queue);
        drop(replaced);
        Poll::Pending
    }

    /// Leaves the line. A permit that was handed over meanwhile goes to the next.
    pub fn leave(&self, place: Place) {
        let mut queue = lock(&self.queue);
        if queue.fetch(place.0) {
            drop(queue);
            return self.release();
        }
        let left_behind = queue.remove(place.0);
        self.queue_changed(&queue);
        drop(queue); // before the waker, as in `poll`
        drop(left_behind);
    }

    /// Permits in use.
    pub fn in_flight(&self) -> u32 {
        let free = (self.free.load(Acquire) & !WAITERS) as u32;
        self.config.max_in_flight.saturating_sub(free)
    }

    /// Calls that wait.
    pub fn queued(&self) -> u32 {
        self.queued.load(Relaxed) as u32
    }

    /// Whether a call that came now would be refused.
    #[inline]
    pub fn is_refusing(&self) -> bool {
        let free = self.free.load(Relaxed);
        (free == 0 || free & WAITERS != 0) && self.has_room().is_err()
    }

    /// The rules.
    pub fn config(&self) -> &Config {
        &self.config
    }

    #[cold]
    #[inline(never)]
    fn hand_over(&self) {
        let waker = {
            let mut queue = lock(&self.queue);
            if queue.is_empty() {
                self.free.fetch_add(1, AcqRel);
                None
            } else {
                let waker = queue.grant_first();
                self.queue_changed(&queue);
                waker
            }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn has_room(&self) -> Result<(), Full> {
        let queued = self.queued();
        if queued < self.config.max_queued { Ok(()) } else { Err(Full { queued }) }
    }

    /// Publishes the length, and opens the way without the lock again once the line is empty.
    fn queue_changed(&self, queue: &Queue) {
        self.queued.store(queue.len() as u64, Relaxed);
        if queue.is_empty() {
            self.free.fetch_and(!WAITERS, AcqRel);
        }
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("in_flight", &self.in_flight())
            .field("config", &self.config)
            .finish()
    }
}
