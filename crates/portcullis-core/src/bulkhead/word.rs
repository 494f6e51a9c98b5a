//! Free permits and two flags in one word, such that a look at its sign says whether to go on.

/// So many bits hold the number of free permits, which is below zero after the limit was lowered or calls
/// passed that would have been refused.
const BITS: u32 = 50;
/// Taken off while somebody waits: permits then go to those in line.
pub(super) const WAITERS: i64 = 1 << BITS;
/// Taken off while there are rules by which not every permit is for everybody.
pub(super) const RULES: i64 = 4 << BITS;

/// The word, taken apart.
///
/// Flags are taken off, and not set, so that while there are any the word is negative: who only wants one
/// permit compares with zero, and who gives one back adds, whatever else there is.
#[derive(Clone, Copy)]
pub(super) struct Word(pub(super) i64);

impl Word {
    /// Free permits.
    pub(super) fn free(self) -> i64 {
        (self.0 << (64 - BITS)) >> (64 - BITS)
    }

    /// Whether somebody waits.
    pub(super) fn has_waiters(self) -> bool {
        ((self.free() - self.0) & WAITERS) != 0
    }
}

#[cfg(test)]
#[cfg(not(portcullis_loom))]
mod tests {
    use super::*;

    #[test]
    fn flags_and_permits_do_not_disturb_each_other() {
        // A million calls beyond the limit that weigh a million each.
        for free in [-1_000_000_000_000, -1, 0, 1, 1_000_000] {
            for (flags, waiters) in [(0, false), (WAITERS, true), (RULES, false), (WAITERS + RULES, true)] {
                let word = Word(free - flags);
                assert_eq!((word.free(), word.has_waiters()), (free, waiters), "{free} {flags:x}");
                assert_eq!(word.0 > 0, free > 0 && flags == 0);
            }
        }
    }
}
