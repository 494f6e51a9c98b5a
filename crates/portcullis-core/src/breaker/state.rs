//! The state of a breaker, packed into one word.

use std::fmt;

use crate::Time;

/// The states of a breaker. Their numbers are those of the metric `portcullis_breaker_state`.
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
    /// It works again: the share of calls that go through rises from a tenth to all.
    Recovering = 3,
    /// Calls are refused until somebody releases the breaker, or a time set by hand is over.
    Isolated = 4,
    /// Calls go through and nothing is recorded, by order.
    Disabled = 5,
    /// Calls go through, by order; they are counted, and no rule is asked.
    ForcedClosed = 6,
    /// Calls go through, by order; windows are kept as if closed, so that their values can be seen.
    MetricsOnly = 7,
}

impl State {
    /// Every state, in the order of its number.
    pub const ALL: [Self; 8] = [
        Self::Closed,
        Self::Open,
        Self::HalfOpen,
        Self::Recovering,
        Self::Isolated,
        Self::Disabled,
        Self::ForcedClosed,
        Self::MetricsOnly,
    ];

    /// The state of this number, of which the lowest bits count.
    #[inline]
    pub(crate) fn from_number(number: u8) -> Self {
        Self::ALL[usize::from(number) % Self::ALL.len()]
    }

    /// The state's word, as it stands in metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::Recovering => "recovering",
            Self::Isolated => "isolated",
            Self::Disabled => "disabled",
            Self::ForcedClosed => "forced_closed",
            Self::MetricsOnly => "metrics_only",
        }
    }

    /// Whether it was ordered by hand, and holds until that is taken back.
    pub const fn is_override(self) -> bool {
        matches!(self, Self::Isolated | Self::Disabled | Self::ForcedClosed | Self::MetricsOnly)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

const STATE_BITS: u32 = 3;
const EPOCH_BITS: u32 = u16::BITS;
const STATE_MASK: u64 = (1 << STATE_BITS) - 1;
/// Set when an admission must know the time.
const TIMED: u64 = 1 << STATE_BITS;
const EPOCH_AT: u32 = STATE_BITS + 1;
const MILLIS_AT: u32 = EPOCH_AT + EPOCH_BITS;
/// The last time that a word can hold, in milliseconds: 557 years.
pub(crate) const MILLIS_MAX: u64 = (1 << (64 - MILLIS_AT)) - 1;

/// State, epoch and a time in one word, so that every reader sees them together.
///
/// The time is what the state needs: when an open breaker may probe, since when a half-open or recovering
/// one has been so, when an override ends (0 for never). It is kept in whole milliseconds, rounded down, so
/// that who waits for exactly the open time is not refused. The epoch is 16 bits wide: to be mistaken, a
/// result would have to be late by exactly 65,535 transitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(u64);

impl Word {
    /// The last time that a word can hold.
    pub(crate) const LAST: Time = Time::from_millis(MILLIS_MAX);

    pub(crate) fn new(state: State, epoch: Epoch, millis: u64) -> Self {
        let millis = millis.min(MILLIS_MAX) << MILLIS_AT;
        Self(millis | (u64::from(epoch.0) << EPOCH_AT) | state as u64)
    }

    #[inline]
    pub(crate) fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    #[inline]
    pub(crate) fn raw(self) -> u64 {
        self.0
    }

    #[inline]
    pub(crate) fn state(self) -> State {
        State::from_number((self.0 & STATE_MASK) as u8)
    }

    #[inline]
    pub(crate) fn is_closed(self) -> bool {
        self.0 & STATE_MASK == State::Closed as u64
    }

    /// Closed, and an admission need not know the time.
    #[inline]
    pub(crate) fn is_short(self) -> bool {
        self.0 & (STATE_MASK | TIMED) == State::Closed as u64
    }

    #[inline]
    pub(crate) fn is_open(self) -> bool {
        self.0 & STATE_MASK == State::Open as u64
    }

    #[inline]
    pub(crate) fn epoch(self) -> Epoch {
        Epoch((self.0 >> EPOCH_AT) as u16)
    }

    #[inline]
    pub(crate) fn time(self) -> Time {
        Time::from_millis(self.0 >> MILLIS_AT)
    }

    /// When an override ends, if it does by itself.
    pub(crate) fn override_end(self) -> Option<Time> {
        (self.state().is_override() && self.0 >> MILLIS_AT != 0).then(|| self.time())
    }

    /// The word after the transition to `state`.
    pub(crate) fn next(self, state: State, millis: u64) -> Self {
        Self(Self::new(state, self.epoch().next(), millis).0 | (self.0 & TIMED))
    }

    /// The same word with another time.
    pub(crate) fn with_time(self, millis: u64) -> Self {
        Self(Self::new(self.state(), self.epoch(), millis).0 | (self.0 & TIMED))
    }

    /// The same word, saying whether admissions must know the time.
    pub(crate) fn with_timed(self, timed: bool) -> Self {
        Self(if timed { self.0 | TIMED } else { self.0 & !TIMED })
    }
}
/// Which stretch between two transitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch(u16);

impl Epoch {
    pub(crate) const FIRST: Self = Self(1);
    /// That of a word that was never written.
    pub(crate) const NONE: Self = Self(0);

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
    #[inline]
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
        for (number, state) in State::ALL.into_iter().enumerate() {
            assert_eq!(state as usize, number);
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
    fn whether_the_time_is_needed_outlives_transitions() {
        let word = Word::new(State::Closed, Epoch(1), 0).with_timed(true);
        assert!(word.is_closed() && !word.is_short());
        let next = word.next(State::Open, 5).with_time(7).next(State::Closed, 0);
        assert_eq!((next.is_short(), next.with_timed(false).is_short()), (false, true));
        assert_eq!(next.epoch(), Epoch(3));
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
