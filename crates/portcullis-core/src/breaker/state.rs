//! The state of a breaker, packed into one word.

use crate::Time;

/// The states of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum State {
    /// Calls go through.
    Closed = 0,
    /// Calls are refused until the open time is over.
    Open = 1,
    /// A few calls go through to find out whether the dependency works again.
    HalfOpen = 2,
    /// Calls are refused until somebody releases the breaker.
    Isolated = 4,
}

impl State {
    /// The state's word, as it stands in metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::Isolated => "isolated",
        }
    }
}

const STATE_BITS: u32 = 3;
const EPOCH_BITS: u32 = u16::BITS;
const STATE_MASK: u64 = (1 << STATE_BITS) - 1;
const MILLIS_BITS: u32 = 64 - STATE_BITS - EPOCH_BITS;
const MILLIS_MAX: u64 = (1 << MILLIS_BITS) - 1;

/// State, epoch and a time in one word, so that each transition is one compare-exchange.
///
/// The time is what the state needs: when an open breaker may probe, since when a half-open one has
/// been probing. It is kept in whole milliseconds, rounded down, so that who waits for exactly the open
/// time is not refused; in milliseconds it lasts a thousand years. The epoch is 16 bits wide: to be
/// mistaken, a result would have to be late by exactly 65,535 transitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(u64);

impl Word {
    pub(crate) fn new(state: State, epoch: Epoch, millis: u64) -> Self {
        let millis = millis.min(MILLIS_MAX) << (STATE_BITS + EPOCH_BITS);
        Self(millis | (u64::from(epoch.0) << STATE_BITS) | state as u64)
    }

    pub(crate) fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    pub(crate) fn raw(self) -> u64 {
        self.0
    }

    pub(crate) fn state(self) -> State {
        match self.0 & STATE_MASK {
            0 => State::Closed,
            1 => State::Open,
            2 => State::HalfOpen,
            _ => State::Isolated,
        }
    }

    #[inline]
    pub(crate) fn is_closed(self) -> bool {
        self.0 & STATE_MASK == State::Closed as u64
    }

    #[inline]
    pub(crate) fn epoch(self) -> Epoch {
        Epoch((self.0 >> STATE_BITS) as u16)
    }

    pub(crate) fn time(self) -> Time {
        Time::from_millis(self.0 >> (STATE_BITS + EPOCH_BITS))
    }

    /// The word after the transition to `state`.
    pub(crate) fn next(self, state: State, millis: u64) -> Self {
        Self::new(state, self.epoch().next(), millis)
    }
}

/// Which stretch between two transitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch(u16);

impl Epoch {
    pub(crate) const FIRST: Self = Self(1);

    pub(crate) fn next(self) -> Self {
        // Never 0, so that a word that was never written belongs to no epoch.
        Self(self.0.wrapping_add(1).max(1))
    }

    /// Whether this epoch comes after `other`; right while they are less than half the range apart.
    pub(crate) fn is_after(self, other: Self) -> bool {
        let ahead = self.0.wrapping_sub(other.0);
        ahead != 0 && ahead < 1 << (EPOCH_BITS - 1)
    }

    /// The epoch a word is tagged with.
    pub(crate) fn of(word: u64) -> Self {
        Self((word >> (64 - EPOCH_BITS)) as u16)
    }

    /// This epoch in the top bits, `value` below.
    #[inline]
    pub(crate) fn tag(self, value: u64) -> u64 {
        (u64::from(self.0) << (64 - EPOCH_BITS)) | (value & VALUE_MASK)
    }

    /// The value of a tagged word, if it belongs to this epoch.
    #[inline]
    pub(crate) fn untag(self, word: u64) -> Option<u64> {
        (word >> (64 - EPOCH_BITS) == u64::from(self.0)).then_some(word & VALUE_MASK)
    }
}

/// The value below a tag: 48 bits, nine years of a million counts a second.
pub(crate) const VALUE_MASK: u64 = (1 << (64 - EPOCH_BITS)) - 1;

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_word_keeps_what_it_was_given() {
        for state in [State::Closed, State::Open, State::HalfOpen, State::Isolated] {
            let word = Word::new(state, Epoch(77), 123_456_789);
            assert_eq!(
                (word.state(), word.epoch(), word.time().as_millis()),
                (state, Epoch(77), 123_456_789)
            );
        }
        assert_eq!(
            Word::new(State::Open, Epoch(1), u64::MAX).epoch(),
            Epoch(1),
            "time saturates, epoch stays"
        );
    }

    #[test]
    fn epochs_wrap_past_zero() {
        assert_eq!(Epoch(u16::MAX).next(), Epoch(1));
    }

    #[test]
    fn epochs_are_ordered_across_the_wrap() {
        let last = Epoch(u16::MAX);
        assert!(last.next().is_after(last) && !last.is_after(last.next()) && !last.is_after(last));
    }

    #[test]
    fn tagged_values_belong_to_one_epoch() {
        let word = Epoch(5).tag(9);
        assert_eq!((Epoch(5).untag(word), Epoch(6).untag(word)), (Some(9), None));
    }
}
