//! Which of the last calls were marked.
//!
//! Only marked calls are remembered, each by its place among all calls. A place is 64 bits wide, and no
//! mark in the window is further than the window's size from the newest: 28 bits tell them apart.

mod ring;
#[cfg(all(test, not(portcullis_loom)))]
mod tests;

use self::ring::Ring;
use super::{KINDS, kind_index};

const KIND_BITS: u32 = 4;
const KIND_MASK: u32 = (1 << KIND_BITS) - 1;

/// Above this many calls a window by time is the better one; and far below 2 to the power of 28.
const MAX_SIZE: u32 = 1_000_000;

/// Room for the first marks, and the least that is added when it does not suffice.
const FIRST_MARKS: usize = 4;

/// How far apart two marks may be that are added [ahead](CountWindow::mark_ahead), so that 28 bits tell
/// the marks apart that are then held: no more than [`MAX_SIZE`].
const MAX_STEP: u64 = 1 << 8;

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
    marks: Ring,
    /// How many marks there are of each kind, when somebody wants to know.
    kinds: Option<Box<[u32; KINDS]>>,
    /// The newest mark's number.
    newest: u64,
    /// The first call that is known of.
    floor: u64,
    size: u32,
    /// How many marks there may be before somebody has to think about the next.
    most: u32,
}

impl CountWindow {
    /// An empty window over the last `size` calls, 1 to 1,000,000; the nearest of these for any other.
    ///
    /// It allocates nothing before the first mark, and never room for more than `size` marks.
    pub fn new(size: u32) -> Self {
        let size = size.clamp(1, MAX_SIZE);
        Self { marks: Ring::default(), kinds: None, newest: 0, floor: 0, size, most: 0 }
    }

    /// Marks the call before which `position` calls ended, with a `kind` below 16.
    ///
    /// A call marked twice counts twice, but a window of `size` calls never holds more than `size` marks.
    #[inline]
    pub fn mark(&mut self, position: u64, kind: u8) {
        self.marks.settle();
        if position < self.floor {
            return;
        }
        let newest = position.max(self.newest);
        self.forget(newest.saturating_add(1));
        self.mark_next(newest, kind);
    }

    /// Marks the last one of the calls that were [counted](Self::count) just before.
    #[inline]
    pub(crate) fn mark_next(&mut self, position: u64, kind: u8) {
        if self.marks.is_narrow() {
            self.make_room();
        }
        self.newest = position;
        self.most = 0;
        self.marks.push(pack(position, kind));
        if let Some(kinds) = &mut self.kinds {
            kinds[kind_index(kind)] += 1;
        }
    }

    /// Marks a call that is not before the newest mark, if the window has [no more](Self::allow) marks with
    /// it than are allowed, and it is as simple as that: the short way. Otherwise it is still to be marked.
    #[inline(always)]
    pub(crate) fn mark_ahead(&mut self, position: u64, kind: u8) -> bool {
        let mark = pack(position, kind);
        let marks = position.wrapping_sub(self.newest) <= MAX_STEP
            && (self.marks.push_ahead(mark) || self.look_ahead(position) && self.marks.push_ahead(mark));
        if marks {
            self.newest = position;
        }
        marks
    }

    /// Forgets what is out of the window with the call at `position`, and whether there may be more marks then.
    #[inline(never)]
    fn look_ahead(&mut self, position: u64) -> bool {
        self.marks.settle();
        self.forget(position.saturating_add(1));
        !self.marks.is_narrow() && self.marks.allow_up_to(self.most) > 0
    }

    /// Lets marks be added [ahead](Self::mark_ahead) as long as the window has no more than `most`; none
    /// while marks are counted by kind. Any other mark puts an end to that.
    #[inline]
    pub(crate) fn allow(&mut self, most: u32) {
        self.most = if self.kinds.is_none() { most } else { 0 };
        self.marks.allow_up_to(self.most);
    }

    /// The newest mark's number; 0 before there was one.
    #[inline(always)]
    pub(crate) fn newest(&self) -> u64 {
        self.newest
    }

    /// How many of the last `size` of `total` calls are marked. Those before them are forgotten.
    #[inline]
    pub fn count(&mut self, total: u64) -> u32 {
        self.marks.settle();
        self.forget(total);
        self.marks.settled_len()
    }

    /// How many marks are held: at least as many as the window has now.
    #[inline]
    pub fn held(&self) -> u32 {
        self.marks.len()
    }

    /// The same as [`count`](Self::count), and forgets nothing.
    pub fn peek(&self, total: u64) -> u32 {
        let is_gone = |&index: &u32| self.leaves_before(self.marks.get(index), total);
        let (mut gone, mut there) = (0, self.marks.len());
        while gone < there {
            let middle = gone.midpoint(there);
            if is_gone(&middle) { gone = middle + 1 } else { there = middle }
        }
        self.marks.len() - gone
    }

    /// How many calls the window holds after `total` calls: `size`, or fewer when fewer are known of.
    #[inline]
    pub fn calls(&self, total: u64) -> u32 {
        self.calls_up_to(self.with_marks(total))
    }

    /// The same, for a total that leaves out no mark.
    #[inline]
    pub(crate) fn calls_up_to(&self, total: u64) -> u32 {
        total.saturating_sub(self.floor).min(u64::from(self.size)) as u32
    }

    /// How many marks of this kind there were at the last [`count`](Self::count) or [`mark`](Self::mark);
    /// 0 while [`count_kinds`](Self::count_kinds) is off.
    pub fn count_of(&self, kind: u8) -> u32 {
        self.kinds.as_ref().map_or(0, |kinds| kinds[kind_index(kind)])
    }

    /// Whether marks are counted by kind (off at first). Switched on, it counts the marks already there.
    pub fn count_kinds(&mut self, on: bool) {
        self.settle();
        self.kinds = on.then(|| {
            let mut kinds = Box::new([0; KINDS]);
            self.marks.iter().for_each(|mark| kinds[kind_of(mark)] += 1);
            kinds
        });
    }

    /// Makes it a window over the last `size` calls, after `total` calls, and keeps what fits.
    ///
    /// Of an enlarged window the calls that the old one had left behind are unknown: it holds fewer than
    /// `size` calls until enough new ones have ended.
    pub fn resize(&mut self, size: u32, total: u64) {
        self.settle();
        let total = self.with_marks(total);
        self.forget(total);
        self.floor = self.floor.max(total.saturating_sub(u64::from(self.size)));
        self.size = size.clamp(1, MAX_SIZE);
        self.forget(total);
        self.marks.shrink_to(self.size as usize);
    }

    /// Forgets everything; the next call is number 0 again. Memory is kept for the marks to come.
    pub fn clear(&mut self) {
        self.marks.clear();
        self.most = 0;
        self.newest = 0;
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

    /// From now on, no mark is added ahead.
    fn settle(&mut self) {
        self.most = 0;
        self.marks.settle();
    }

    /// Forgets what is out of the window after `total` calls.
    #[inline]
    fn forget(&mut self, total: u64) {
        let since_newest = total.saturating_sub(self.newest);
        // As the marks are packed: those that are in the window are nearer to the newest than this.
        let edge = ((u64::from(self.size) + 1).saturating_sub(since_newest) << KIND_BITS) as u32;
        let newest = pack(self.newest, KIND_MASK as u8);
        if self.kinds.is_some() {
            return self.forget_by_kind(newest, edge);
        }
        self.marks.pop_below(newest, edge, |_| ());
    }

    #[cold]
    #[inline(never)]
    fn forget_by_kind(&mut self, newest: u32, edge: u32) {
        if let Some(kinds) = &mut self.kinds {
            self.marks.pop_below(newest, edge, |mark| kinds[kind_of(mark)] -= 1);
        }
    }

    #[cold]
    fn drop_oldest(&mut self) {
        if let (Some(mark), Some(kinds)) = (self.marks.pop(), &mut self.kinds) {
            kinds[kind_of(mark)] -= 1;
        }
    }

    /// Whether a mark is no longer in the window after `total` calls.
    #[inline]
    fn leaves_before(&self, mark: u32, total: u64) -> bool {
        let since_newest = total.saturating_sub(self.newest);
        since_newest.saturating_add(distance(self.newest, mark).into()) > u64::from(self.size)
    }

    /// The total of calls, which is not below the newest mark's.
    fn with_marks(&self, total: u64) -> u64 {
        if self.marks.is_empty() { total } else { total.max(self.newest.saturating_add(1)) }
    }

    #[cold]
    fn make_room(&mut self) {
        let (held, most) = (self.marks.len() as usize, self.size as usize);
        if held >= most {
            return self.drop_oldest();
        }
        let room = held + (held / 4).max(FIRST_MARKS);
        if room.min(most) > self.marks.capacity() {
            self.marks.grow_to(room.min(most));
        }
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
