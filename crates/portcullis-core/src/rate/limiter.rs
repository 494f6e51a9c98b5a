//! Permits, and the line in front of them.

use std::{fmt, task::Waker, time::Duration};

use super::{Config, gcra::Gcra, line::Line};
use crate::{
    ConfigError, Time,
    sync::{
        Mutex,
        atomic::{
            AtomicU64,
            Ordering::{AcqRel, Acquire, Relaxed, Release},
        },
        lock,
    },
};

/// Set where the word is not all there is to know: then permits go through the lock. No time is as late as this, so
/// that a bucket with it looks empty for ever, and nobody has to ask for the bit.
const LOCKED: u64 = 1 << 63;
/// The end of time: far enough below the bit for everything that is added.
const LAST: u64 = 1 << 61;

/// Permits at a rate; see the [module](super).
pub struct Limiter {
    /// When the bucket is full, and [`LOCKED`].
    full: AtomicU64,
    interval: AtomicU64,
    capacity: AtomicU64,
    /// The line's length, for those who only want to know it.
    queued: AtomicU64,
    line: Mutex<Line>,
}

/// A place in the line. It must be [polled](Limiter::poll) to its end or [left](Limiter::leave).
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a place that is neither polled nor left keeps what it is handed"]
pub struct Place(u64);

/// What asking for permits came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    /// They are taken.
    Taken,
    /// Wait here: they will be there in time.
    Waiting(Place),
    /// They are not there, or would not be in time.
    Refused(Refused),
}

/// Permits that are not to be had now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// In how long they are, to the nanosecond, if nobody else takes them; never, if they are more than the burst.
    pub wait: Option<Duration>,
    /// How many wait.
    pub queued: u32,
}

/// Permits that were taken ahead. Not used, they can be [given back](Limiter::give_back).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "what was reserved is to be used at its time, or given back"]
pub struct Reserved {
    due: u64,
    cost: u32,
    mark: u64,
}

impl Reserved {
    /// When they may be used.
    pub fn due(&self) -> Time {
        Time::from_nanos(self.due)
    }
}

/// What a place in the line came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The permits are taken.
    Come,
    /// Not yet. Who is at the head of the line is told when to poll again; the others are woken.
    Wait(Option<Time>),
}

impl Limiter {
    /// A full bucket, and nobody waiting.
    ///
    /// # Errors
    ///
    /// The first field of `config` outside its range.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let line = Line::new(&config);
        let Gcra { interval, capacity } = line.meter.gcra;
        Ok(Self {
            full: AtomicU64::new(bit(&line)),
            interval: AtomicU64::new(interval),
            capacity: AtomicU64::new(capacity),
            queued: AtomicU64::new(0),
            line: Mutex::new(line),
        })
    }

    /// Takes so many permits if they are there and nobody waits for them.
    #[inline]
    pub fn try_take(&self, cost: u32, now: Time) -> bool {
        match self.take(cost, nanos(now)) {
            Ok(()) => true,
            // As it was seen: by now the bit may be gone, and with it the reason not to look further.
            Err(full) => full & LOCKED != 0 && self.take_locked(cost, now),
        }
    }

    /// Takes them past the lock; fails with the word by which they are not there.
    #[inline(always)]
    fn take(&self, cost: u32, now: u64) -> Result<(), u64> {
        let mut full = self.full.load(Acquire);
        loop {
            // After the word, and acquired: who sees another rate here finds the word changed, too.
            let (interval, capacity) = (self.interval.load(Acquire), self.capacity.load(Acquire));
            let Some(after) = (Gcra { interval, capacity }).take(full, cost, now) else {
                // Not by half of an old rate and half of a new one.
                let seen = self.full.load(Acquire);
                if seen == full {
                    return Err(full);
                }
                full = seen;
                continue;
            };
            match self.full.compare_exchange_weak(full, after, AcqRel, Acquire) {
                Ok(_) => return Ok(()),
                Err(seen) => full = seen,
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn take_locked(&self, cost: u32, now: Time) -> bool {
        self.locked(now, |line, now| {
            let due = line.meter.due(cost, now);
            let is_due = due.is_some_and(|due| due <= now);
            if is_due && !line.is_off() {
                line.meter.take(now, cost);
            }
            is_due || line.is_off()
        })
    }

    /// Takes so many permits, or a place in the line, if there is one and they will be there in time.
    pub fn ask(&self, cost: u32, now: Time, max_queued: u32, max_wait: Duration) -> Asked {
        if self.take(cost, nanos(now)).is_ok() {
            return Asked::Taken;
        }
        self.locked(now, |line, now| {
            if line.is_off() {
                return Asked::Taken;
            }
            let Some(due) = line.meter.due(cost, now) else {
                return Asked::Refused(refused(line, None, now));
            };
            if due <= now {
                line.meter.take(now, cost);
                Asked::Taken
            } else if line.len() < max_queued as usize && Duration::from_nanos(due - now) <= max_wait {
                Asked::Waiting(Place(line.push(cost, due)))
            } else {
                Asked::Refused(refused(line, Some(due), now))
            }
        })
    }

    /// Says when so many permits could be taken, as it is now.
    pub fn refuse(&self, cost: u32, now: Time) -> Refused {
        self.locked(now, |line, now| {
            let due = line.meter.due(cost, now);
            refused(line, due, now)
        })
    }

    /// Takes permits ahead: those that come first, if they come in time. Where calls wait in line, nothing can be
    /// reserved.
    ///
    /// # Errors
    ///
    /// What it would have to wait for them, behind the line.
    pub fn reserve(&self, cost: u32, now: Time, max_wait: Duration) -> Result<Reserved, Refused> {
        self.locked(now, |line, now| {
            let due = if line.is_off() { Some(now) } else { line.meter.due(cost, now) };
            match due {
                Some(due) if line.len() == 0 && Duration::from_nanos(due - now) <= max_wait => {
                    let cost = if line.is_off() { 0 } else { cost };
                    line.meter.take(due, cost);
                    Ok(Reserved { due, cost, mark: line.meter.full })
                }
                _ => Err(refused(line, due, now)),
            }
        })
    }

    /// Takes back what was reserved and not used. A bucket can only take back what was taken last; what others were
    /// promised since is not moved.
    pub fn give_back(&self, reserved: Reserved, now: Time) {
        let Reserved { due, cost, mark } = reserved;
        self.locked(now, |line, now| line.give_back(due, cost, mark, now));
    }

    /// Whether the turn has come.
    pub fn poll(&self, place: &Place, now: Time, waker: &Waker) -> Turn {
        let (turn, replaced) = self.locked(now, |line, _| {
            if line.fetch(place.0) {
                return (Turn::Come, None);
            }
            let (due, replaced) = line.register(place.0, waker);
            (Turn::Wait(due.map(Time::from_nanos)), replaced)
        });
        // Only now, with no lock held: with the last waker of a task may go a place in this very line.
        drop(replaced);
        turn
    }

    /// Leaves the line; the turn goes to the next.
    pub fn leave(&self, place: Place, now: Time) {
        let left_behind = self.locked(now, |line, now| line.remove(place.0, now));
        drop(left_behind); // as in `poll`
    }

    /// Goes on by other rules: as many permits are taken as were, and who waits goes on waiting.
    ///
    /// # Errors
    ///
    /// The first field of `config` outside its range; nothing has changed then.
    pub fn reconfigure(&self, config: &Config, now: Time) -> Result<(), ConfigError> {
        config.check()?;
        self.locked(now, |line, now| {
            line.change(config, now);
            let Gcra { interval, capacity } = line.meter.gcra;
            self.interval.store(interval, Release);
            self.capacity.store(capacity, Release);
        });
        Ok(())
    }

    /// Whole permits that could be taken now.
    pub fn available(&self, now: Time) -> u64 {
        self.locked(now, |line, now| line.meter.available(now))
    }

    /// In how long all of them are there, if nobody takes one.
    pub fn whole_in(&self, now: Time) -> Duration {
        self.locked(now, |line, now| Duration::from_nanos(line.meter.whole(now).saturating_sub(now)))
    }

    /// Calls that wait.
    #[inline]
    pub fn queued(&self) -> u32 {
        self.queued.load(Relaxed) as u32
    }

    /// Whether nothing was taken that is not back, and nobody waits: as new.
    pub fn is_whole(&self, now: Time) -> bool {
        self.queued() == 0 && self.whole_in(now) == Duration::ZERO
    }

    pub(super) fn locked<R>(&self, now: Time, work: impl FnOnce(&mut Line, u64) -> R) -> R {
        let mut line = lock(&self.line);
        // From here on nobody takes a permit but through the lock.
        line.meter.full = self.full.fetch_or(LOCKED, AcqRel) & !LOCKED;
        let now = line.settle(nanos(now));
        let result = work(&mut line, now);
        self.queued.store(line.len() as u64, Relaxed);
        self.full.store(line.meter.full | bit(&line), Release);
        let wake = line.whom_to_wake();
        drop(line);
        wake.into_iter().for_each(Waker::wake);
        result
    }
}

fn bit(line: &Line) -> u64 {
    if line.must_lock() { LOCKED } else { 0 }
}

fn nanos(now: Time) -> u64 {
    now.as_nanos().min(LAST)
}

fn refused(line: &Line, due: Option<u64>, now: u64) -> Refused {
    let wait = due.map(|due| Duration::from_nanos(due.saturating_sub(now)));
    Refused { wait, queued: line.len() as u32 }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").field("queued", &self.queued()).finish_non_exhaustive()
    }
}
