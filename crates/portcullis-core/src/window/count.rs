//! Which of the last calls were marked.
//!
//! Only marked calls are remembered, each by its place among all calls. A place is 64 bits wide, and no
//! mark in the window is further than the window's size from the newest: 28 bits tell them apart.

#[cfg(all(test, not(portcullis_loom)))]
mod tests;

use std::collections::VecDeque;

use super::{KINDS, kind_index};

const KIND_BITS: u32 = 4;
const KIND_MASK: u32 = (1 << KIND_BITS) - 1;

/// Above this many calls a window by time is the better one; and far below 2 to the power of 28.
const MAX_SIZE: u32 = 1_000_000;

/// Room for the first marks; doubled whenever it does not suffice.
const FIRST_MARKS: usize = 4;

/// No total is above it.
const NEVER: u64 = u64::MAX;

/// Which of the last `size` calls were marked: failed, or were slow. Exact for any history.
///
/// Calls are known by their number, from 0 on, in the order in which they ended. Neither the numbers of
/// marked calls nor the totals asked for may decrease; a number below the newest mark's is taken for that
/// mark's, and a total that leaves out the newest mark for one that ends with it.
///
/// ```
/// use portcullis_core::window::CountWindow;
///
/// let mut failed = CountWindow::new(100);
/// for call in (0..1_000).step_by(10) {
///     failed.mark(call, 0);
/// }
/// assert_eq!((failed.count(1_000), failed.calls(1_000)), (10, 100));
///
/// // What an enlarged window did not keep when it was smaller, it does not know.
/// failed.resize(500, 1_000);
/// assert_eq!((failed.count(1_000), failed.calls(1_000)), (10, 100));
/// assert_eq!((failed.count(1_200), failed.calls(1_200)), (10, 300));
/// ```
#[derive(Clone, Debug)]
pub struct CountWindow {
    /// Oldest first: the low 28 bits of the call's number, then 4 bits of kind.
    marks: VecDeque<u32>,
    /// How many marks there are of each kind, when somebody wants to know.
    kinds: Option<Box<[u32; KINDS]>>,
    /// The newest mark's number. Every mark is less than `size` before it.
    newest: u64,
    /// The last total that still has the oldest mark in the window; [`NEVER`] exceeded without marks.
    leaves: u64,
    /// The first call that is known of.
    floor: u64,
    size: u32,
}

impl CountWindow {
    /// An empty window over the last `size` calls, 1 to 1,000,000; the nearest of these for any other.
    ///
    /// It allocates nothing before the first mark, and never room for more than `size` marks.
    pub fn new(size: u32) -> Self {
        let size = size.clamp(1, MAX_SIZE);
        Self { marks: VecDeque::new(), kinds: None, newest: 0, leaves: NEVER, floor: 0, size }
    }

    /// Marks the call before which `position` calls ended, with a `kind` below 16.
    ///
    /// A call marked twice counts twice, but a window of `size` calls never holds more than `size` marks.
    #[inline]
    pub fn mark(&mut self, position: u64, kind: u8) {
        if position < self.floor {
            return;
        }
        let newest = position.max(self.newest);
        if newest >= self.leaves {
            self.drop_oldest();
            if newest >= self.leaves {
                self.forget(newest.saturating_add(1));
            }
        }
        if self.marks.len() == self.marks.capacity() {
            self.make_room();
        }
        self.newest = newest;
        self.leaves = self.leaves.min(self.leaves_at(newest));
        self.marks.push_back(pack(newest, kind));
        if let Some(kinds) = &mut self.kinds {
            kinds[kind_index(kind)] += 1;
        }
    }

    /// How many of the last `size` of `total` calls are marked. Those before them are forgotten.
    #[inline]
    pub fn count(&mut self, total: u64) -> u32 {
        if total > self.leaves {
            self.forget(total);
        }
        self.marks.len() as u32
    }

    /// How many marks are held: at least as many as the window has now.
    #[inline]
    pub fn held(&self) -> u32 {
        self.marks.len() as u32
    }

    /// The same as [`count`](Self::count), and forgets nothing.
    pub fn peek(&self, total: u64) -> u32 {
        let gone = self.marks.partition_point(|&mark| total > self.leaves_at(self.position(mark)));
        (self.marks.len() - gone) as u32
    }

    /// How many calls the window holds after `total` calls: `size`, or fewer when fewer are known of.
    #[inline]
    pub fn calls(&self, total: u64) -> u32 {
        let known = self.with_marks(total).saturating_sub(self.floor);
        known.min(u64::from(self.size)) as u32
    }

    /// How many marks of this kind there were at the last [`count`](Self::count) or [`mark`](Self::mark);
    /// 0 while [`count_kinds`](Self::count_kinds) is off.
    pub fn count_of(&self, kind: u8) -> u32 {
        self.kinds.as_ref().map_or(0, |kinds| kinds[kind_index(kind)])
    }

    /// Whether marks are counted by kind (off at first). Switched on, it counts the marks already there.
    pub fn count_kinds(&mut self, on: bool) {
        self.kinds = on.then(|| {
            let mut kinds = Box::new([0; KINDS]);
            self.marks.iter().for_each(|&mark| kinds[kind_of(mark)] += 1);
            kinds
        });
    }

    /// Makes it a window over the last `size` calls, after `total` calls, and keeps what fits.
    ///
    /// Of an enlarged window the calls that the old one had left behind are unknown: it holds fewer than
    /// `size` calls until enough new ones have ended.
    pub fn resize(&mut self, size: u32, total: u64) {
        let total = self.with_marks(total);
        self.forget(total);
        self.floor = self.floor.max(total.saturating_sub(u64::from(self.size)));
        self.size = size.clamp(1, MAX_SIZE);
        self.leaves = self.oldest_leaves();
        self.forget(total);
        self.marks.shrink_to(self.size as usize);
    }

    /// Forgets everything; the next call is number 0 again. Memory is kept for the marks to come.
    pub fn clear(&mut self) {
        self.marks.clear();
        self.newest = 0;
        self.leaves = NEVER;
        self.floor = 0;
        if let Some(kinds) = &mut self.kinds {
            kinds.fill(0);
        }
    }

    /// Bytes on the heap, beside those of the window itself.
    pub fn heap_bytes(&self) -> usize {
        let kinds = self.kinds.as_deref().map_or(0, size_of_val);
        self.marks.capacity() * size_of::<u32>() + kinds
    }

    /// Forgets what is out of the window after `total` calls.
    #[cold]
    #[inline(never)]
    fn forget(&mut self, total: u64) {
        while total > self.leaves {
            self.drop_oldest();
        }
    }

    #[inline]
    fn drop_oldest(&mut self) {
        if let (Some(mark), Some(kinds)) = (self.marks.pop_front(), &mut self.kinds) {
            kinds[kind_of(mark)] -= 1;
        }
        self.leaves = self.oldest_leaves();
    }

    #[inline]
    fn oldest_leaves(&self) -> u64 {
        self.marks.front().map_or(NEVER, |&oldest| self.leaves_at(self.position(oldest)))
    }

    /// The last total that has the call of this number in the window.
    #[inline]
    fn leaves_at(&self, position: u64) -> u64 {
        position.saturating_add(u64::from(self.size))
    }

    #[inline]
    fn position(&self, mark: u32) -> u64 {
        self.newest - u64::from(distance(self.newest, mark))
    }

    /// The total of calls, which is not below the newest mark's.
    fn with_marks(&self, total: u64) -> u64 {
        if self.marks.is_empty() { total } else { total.max(self.newest.saturating_add(1)) }
    }

    #[cold]
    fn make_room(&mut self) {
        let (held, most) = (self.marks.len(), self.size as usize);
        if held >= most {
            return self.drop_oldest();
        }
        // Left alone, it would double beyond the window's size.
        let room = (held * 2).max(FIRST_MARKS).min(most);
        self.marks.reserve_exact(room - held);
    }
}

const fn pack(position: u64, kind: u8) -> u32 {
    // The high bits are meant to be lost.
    (position as u32) << KIND_BITS | (kind as u32 & KIND_MASK)
}

const fn kind_of(mark: u32) -> usize {
    (mark & KIND_MASK) as usize
}

/// How far a marked call is before the newest one, which is less than 2 to the power of 28.
const fn distance(newest: u64, mark: u32) -> u32 {
    // With every bit of a kind set, no mark's kind borrows from the distance.
    ((newest as u32) << KIND_BITS | KIND_MASK).wrapping_sub(mark) >> KIND_BITS
}
