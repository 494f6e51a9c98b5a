//! Counts that fade out by generations.

use std::time::Duration;

use crate::{
    Padded, Time,
    sync::atomic::{
        AtomicBool, AtomicU32, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
    time::nanos,
};

/// The newest generation, the one before it, and the one that is next and empty.
const SLOTS: usize = 3;

/// How many bits of the word are for the slot.
const SLOT_BITS: u32 = 2;
/// The last time there is room for in the word.
const LAST: u64 = u64::MAX >> SLOT_BITS;

/// `N` counts by generation and shard.
///
/// All of a generation is said by one word: when it ends, and which slot it counts in. Who finds it ended
/// empties the next slot, in which nobody counts by then, and only then puts the next word in place.
pub(super) struct Generations<const N: usize> {
    shards: Box<[Padded<Shard<N>>]>,
    /// On a line that is seldom written.
    turn: Padded<Turn>,
    width: u64,
}

struct Turn {
    /// The end of the newest generation in nanoseconds, and its slot in the last [`SLOT_BITS`].
    word: AtomicU64,
    /// Somebody is at it.
    taken: AtomicBool,
}

/// One slot for each generation.
type Shard<const N: usize> = [[AtomicU32; N]; SLOTS];

impl<const N: usize> Generations<N> {
    /// Nothing counted, in generations of this width.
    pub(super) fn new(width: Duration, shards: usize) -> Self {
        let shards = shards.clamp(1, 1024).next_power_of_two();
        let slot = |_| std::array::from_fn(|_| AtomicU32::new(0));
        let width = nanos(width).clamp(1, LAST);
        // It ends at once: when the first generation begins is known when the first call ends.
        let turn = Padded(Turn { word: AtomicU64::new(0), taken: AtomicBool::new(false) });
        Self { shards: (0..shards).map(|_| Padded(std::array::from_fn(slot))).collect(), turn, width }
    }

    /// Adds one to the count of this index, which is below `N`.
    #[inline]
    pub(super) fn count(&self, shard: usize, index: usize, now: Time) {
        self.count_many(shard, index, 1, now);
    }

    /// Adds so many.
    #[inline(always)]
    pub(super) fn count_many(&self, shard: usize, index: usize, count: u32, now: Time) {
        let mut word = self.turn.word.load(Acquire);
        if has_ended(word, now) {
            word = self.end(now);
        }
        // A power of two of shards: the mask never leaves the slice.
        let shard = &self.shards[shard & (self.shards.len() - 1)];
        shard[slot_of(word)][index].fetch_add(count, Relaxed);
    }

    /// The counts of the newest generation and the one before it.
    pub(super) fn sum(&self, now: Time) -> [u64; N] {
        let mut word = self.turn.word.load(Acquire);
        if has_ended(word, now) {
            word = self.end(now);
        }
        let newest = slot_of(word);
        let mut sum = [0; N];
        for shard in &self.shards {
            for slot in [newest, before(newest)] {
                let counts = shard[slot].iter().map(|count| u64::from(count.load(Relaxed)));
                sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            }
        }
        sum
    }

    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.shards)
    }

    /// Ends the newest generation, unless somebody else does; the word to go by.
    #[cold]
    #[inline(never)]
    fn end(&self, now: Time) -> u64 {
        let Turn { word, taken } = &*self.turn;
        if taken.compare_exchange(false, true, Acquire, Relaxed).is_err() {
            // What ends now still counts, as the generation before the newest.
            return word.load(Acquire);
        }
        // It may have been done between the look and the turn.
        let mut current = word.load(Relaxed);
        if has_ended(current, now) {
            current = self.next(current, now);
            word.store(current, Release);
        }
        taken.store(false, Release);
        current
    }

    /// The word after this one, with its slot emptied.
    fn next(&self, word: u64, now: Time) -> u64 {
        let (ended, slot) = (word >> SLOT_BITS, slot_of(word));
        let next = after(slot);
        self.clear(next);
        let mut end = ended.saturating_add(self.width);
        if end <= now.as_nanos() {
            // A whole generation has passed in which nobody came: what is there is too old.
            self.clear(slot);
            end = now.as_nanos().saturating_add(self.width);
        }
        (end.min(LAST) << SLOT_BITS) | next as u64
    }

    fn clear(&self, slot: usize) {
        self.shards.iter().flat_map(|shard| &shard[slot]).for_each(|count| count.store(0, Relaxed));
    }
}

#[inline]
fn has_ended(word: u64, now: Time) -> bool {
    // The very last generation never ends.
    now.as_nanos().min(LAST - 1) >= word >> SLOT_BITS
}

/// The slot of a word, kept where there is one.
#[inline]
fn slot_of(word: u64) -> usize {
    ((word & ((1 << SLOT_BITS) - 1)) as usize).min(SLOTS - 1)
}

fn after(slot: usize) -> usize {
    (slot + 1) % SLOTS
}

fn before(slot: usize) -> usize {
    (slot + SLOTS - 1) % SLOTS
}
