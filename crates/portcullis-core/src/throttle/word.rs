//! What every call reads, in one word: whether there is anything to decide, and how often to look anew.

/// There is nothing to decide, and nothing to count.
const DISABLED: u64 = 1 << 63;
/// There is no chance only because there are too few requests: any other may make one.
const TOO_FEW: u64 = 1 << 62;
/// There is a chance of being held back.
const HOLDS: u64 = 1 << 61;
/// Where the binary logarithm of the stride stands.
const STRIDE_MASK: u64 = 0x3f;

/// What became of the last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(pub(super) u64);

impl Word {
    pub(super) const DISABLED: Self = Self(DISABLED);

    /// Looked at anew after this many events of a shard, rounded down to a power of two.
    pub(super) fn new(stride: u64) -> Self {
        Self(u64::from(stride.max(1).ilog2()))
    }

    /// The same where requests are held back.
    pub(super) fn holds(self) -> Self {
        Self(self.0 | HOLDS)
    }

    /// The same while there are too few requests to decide by.
    pub(super) fn too_few(self) -> Self {
        Self(self.0 | TOO_FEW)
    }

    /// Whether every call is let through, and counted.
    #[inline(always)]
    pub(super) fn is_free(self) -> bool {
        self.0 & (DISABLED | HOLDS) == 0
    }

    /// Whether no request that is accepted can change anything.
    #[inline(always)]
    pub(super) fn is_quiet(self) -> bool {
        self.0 & (DISABLED | HOLDS | TOO_FEW) == 0
    }

    pub(super) fn is_disabled(self) -> bool {
        self.0 & DISABLED != 0
    }

    /// Whether to look anew at the event of this number.
    pub(super) fn is_due(self, event: u64) -> bool {
        event & ((1 << (self.0 & STRIDE_MASK)) - 1) == 0
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_it_was_given() {
        let plain = Word::new(1);
        assert!(plain.is_free() && plain.is_quiet() && !plain.is_disabled());
        assert!(plain.too_few().is_free() && !plain.too_few().is_quiet());
        assert!(!plain.holds().is_free() && !plain.holds().is_quiet());
        assert!(!Word::DISABLED.is_free() && Word::DISABLED.is_disabled());
    }

    #[test]
    fn a_stride_is_a_power_of_two() {
        let due = |stride, events| (1..=events).filter(|event| Word::new(stride).is_due(*event)).count();
        assert_eq!([due(0, 8), due(1, 8), due(3, 8), due(4, 8), due(8, 8), due(9, 8)], [8, 8, 4, 2, 1, 1]);
        assert!(!Word::new(u64::MAX).holds().is_due(1));
    }
}
