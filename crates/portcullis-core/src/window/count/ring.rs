//! Marks, oldest first, in memory that is used again and again.

/// A queue of marks.
///
/// Some may be added [ahead](Self::push_ahead): at the next place and nothing else, with a look at one
/// number. Before anything else changes it, [`settle`](Self::settle) counts those.
#[derive(Clone, Debug, Default)]
pub(super) struct Ring {
    slots: Box<[u32]>,
    /// Where the oldest is.
    head: u32,
    /// How many there are, without those that were added ahead.
    len: u32,
    /// Where the next one goes.
    tail: u32,
    /// The place at which adding ahead ends.
    stop: u32,
}

impl Ring {
    pub(super) fn capacity(&self) -> usize {
        self.slots.len()
    }

    #[inline]
    pub(super) fn len(&self) -> u32 {
        self.len + self.ahead()
    }

    /// The same, when none were added ahead.
    #[inline]
    pub(super) fn settled_len(&self) -> u32 {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it has less room left than would let marks be added ahead for a while.
    #[inline]
    pub(super) fn is_narrow(&self) -> bool {
        self.slots.len() as u32 - self.len < (self.len / 8).max(1)
    }

    /// Adds a mark, as long as that is [allowed](Self::allow_up_to).
    #[inline(always)]
    pub(super) fn push_ahead(&mut self, mark: u32) -> bool {
        let at = self.tail;
        match self.slots.get_mut(at as usize) {
            Some(slot) if at < self.stop => {
                *slot = mark;
                self.tail = at + 1;
                true
            }
            _ => false,
        }
    }

    /// Lets marks be added ahead until there are so many, or as many as fit in a row. Returns how many.
    #[inline]
    pub(super) fn allow_up_to(&mut self, most: u32) -> u32 {
        let capacity = self.slots.len() as u32;
        let end = if self.head > self.tail { self.head } else { capacity };
        let marks = most.min(capacity).saturating_sub(self.len).min(end - self.tail);
        self.stop = self.tail + marks;
        marks
    }

    /// Counts what was added ahead, and allows no more of it.
    #[inline]
    pub(super) fn settle(&mut self) {
        self.len += self.ahead();
        self.stop = 0;
        if self.tail == self.slots.len() as u32 {
            self.tail = 0;
        }
    }

    /// Adds a mark, for which there must be room.
    #[inline]
    pub(super) fn push(&mut self, mark: u32) {
        if let Some(slot) = self.slots.get_mut(self.tail as usize) {
            *slot = mark;
            self.tail = self.wrapped(self.tail + 1);
            self.len += 1;
        }
    }

    /// Takes the oldest one out.
    pub(super) fn pop(&mut self) -> Option<u32> {
        let oldest = self.slots.get(self.head as usize).copied().filter(|_| self.len > 0)?;
        self.head = self.wrapped(self.head + 1);
        self.len -= 1;
        Some(oldest)
    }

    /// Takes the oldest ones out, as long as they are so much below `newest`, and shows each.
    #[inline(always)]
    pub(super) fn pop_below(&mut self, newest: u32, least: u32, mut popped: impl FnMut(u32)) {
        // In two rows at most: up to the end of the memory, and on from its beginning.
        for _ in 0..2 {
            let (head, capacity) = (self.head as usize, self.slots.len());
            let Some(row) = self.slots.get(head..capacity.min(head + self.len as usize)) else { return };
            let mut gone = 0;
            for &oldest in row {
                if newest.wrapping_sub(oldest) < least {
                    break;
                }
                popped(oldest);
                gone += 1;
            }
            self.len -= gone;
            self.head += gone;
            if (self.head as usize) < capacity {
                return;
            }
            self.head = 0;
        }
    }

    /// The one of this age, from the oldest on: below [`len`](Self::len).
    pub(super) fn get(&self, index: u32) -> u32 {
        self.slots[self.wrapped(self.head + index) as usize]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// Forgets all of them, and keeps the memory.
    pub(super) fn clear(&mut self) {
        (self.head, self.len, self.tail, self.stop) = (0, 0, 0, 0);
    }

    /// Makes room for so many, and no more.
    pub(super) fn grow_to(&mut self, capacity: usize) {
        let mut slots = Vec::with_capacity(capacity);
        slots.extend(self.iter());
        let len = slots.len();
        slots.resize(capacity.max(len), 0);
        *self = Self { slots: slots.into_boxed_slice(), head: 0, len: len as u32, tail: 0, stop: 0 };
        self.tail = self.wrapped(self.len);
    }

    /// Gives back what is not needed for so many.
    pub(super) fn shrink_to(&mut self, capacity: usize) {
        if capacity < self.slots.len() {
            self.grow_to(capacity);
        }
    }

    /// How many were added ahead.
    #[inline]
    fn ahead(&self) -> u32 {
        self.tail - self.wrapped(self.head + self.len)
    }

    #[inline]
    fn wrapped(&self, at: u32) -> u32 {
        let len = self.slots.len() as u32;
        if at >= len { at - len } else { at }
    }
}
