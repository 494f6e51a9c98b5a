//! The limit and the calls in flight in one word, so that both are always of one moment.

use crate::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed},
};

/// The limit is above these bits, the calls in flight are in them.
const LIMIT: u32 = 32;
const CALLS: u64 = (1 << LIMIT) - 1;

/// The one thing that all calls share, because a limit must be exact.
///
/// A call costs two locked instructions here: a compare-exchange when it begins and a subtraction when it ends. Under
/// several threads the word's cache line goes from one to the other, as that of every semaphore does.
#[derive(Debug)]
pub(super) struct Word(AtomicU64);

impl Word {
    /// Nothing in flight.
    pub(super) fn new(limit: u32) -> Self {
        Self(AtomicU64::new(u64::from(limit) << LIMIT))
    }

    /// Takes a place if there is one; how many are taken with it.
    #[inline]
    pub(super) fn try_acquire(&self) -> Option<u32> {
        let mut word = self.0.load(Relaxed);
        while in_flight(word) < limit(word) {
            match self.0.compare_exchange_weak(word, word + 1, AcqRel, Relaxed) {
                Ok(_) => return Some(in_flight(word) + 1),
                Err(now) => word = now,
            }
        }
        None
    }

    /// Takes a place whether there is one or not.
    pub(super) fn force(&self) -> u32 {
        in_flight(self.0.fetch_add(1, AcqRel)) + 1
    }

    /// Gives a place back.
    #[inline]
    pub(super) fn release(&self) {
        self.0.fetch_sub(1, AcqRel);
    }

    /// Puts another limit in place; calls that are in flight go on, whatever it is. For one at a time.
    pub(super) fn set_limit(&self, to: u32) {
        let from = limit(self.0.load(Relaxed));
        // What is added wraps around where the limit is lowered, and the calls in flight stay as they are.
        self.0.fetch_add(u64::from(to.wrapping_sub(from)) << LIMIT, AcqRel);
    }

    /// The limit, and how many calls are in flight.
    #[inline]
    pub(super) fn load(&self) -> (u32, u32) {
        let word = self.0.load(Acquire);
        (limit(word), in_flight(word))
    }
}

#[inline]
fn limit(word: u64) -> u32 {
    (word >> LIMIT) as u32
}

#[inline]
fn in_flight(word: u64) -> u32 {
    (word & CALLS) as u32
}

#[cfg(test)]
#[cfg(not(portcullis_loom))]
mod tests {
    use super::*;

    #[test]
    fn a_limit_below_what_is_in_flight_lets_nobody_in_until_it_fits() {
        let word = Word::new(3);
        assert_eq!([(); 4].map(|()| word.try_acquire()), [Some(1), Some(2), Some(3), None]);
        word.set_limit(1);
        assert_eq!((word.load(), word.try_acquire()), ((1, 3), None));
        word.release();
        word.release();
        assert_eq!((word.load(), word.try_acquire()), ((1, 1), None));
        assert_eq!(word.force(), 2);
        word.release();
        word.release();
        assert_eq!(word.try_acquire(), Some(1));
    }

    #[test]
    fn both_halves_hold_the_greatest_numbers() {
        let word = Word::new(u32::MAX);
        assert_eq!(word.try_acquire(), Some(1));
        word.set_limit(0);
        assert_eq!(word.load(), (0, 1));
        word.set_limit(u32::MAX);
        assert_eq!(word.load(), (u32::MAX, 1));
    }
}
