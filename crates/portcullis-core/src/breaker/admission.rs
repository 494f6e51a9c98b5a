//! Permission for one call.

use std::{fmt, num::NonZeroU64};

use super::state::Epoch;
use crate::Time;

/// Permission for one call; to be given back to [`Machine::settle`](super::Machine::settle) exactly once.
///
/// Two words, and no more: whoever holds one moves it in registers.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "an admission that is not settled may hold a probe's permit until its lease ends"]
pub struct Admission {
    /// The epoch on top, as in the counters; below, a probe's permit and the kind.
    place: NonZeroU64,
    /// When it was given; known for all but plain calls.
    pub(super) started: Time,
}

/// What an admission is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Call,
    /// A call whose duration counts.
    Timed,
    /// A probe, with the permit that it holds.
    Probe(u16),
    /// A call of a recovering breaker.
    Ramp,
    /// It was to be refused, or passes by order: counted, and nothing more.
    Bypass,
    /// Not even counted.
    Untracked,
}

impl Kind {
    const SLOT_AT: u32 = 8;

    /// All of them odd, so that there is no admission that is 0.
    #[inline]
    fn number(self) -> u64 {
        match self {
            Self::Call => 1,
            Self::Timed => 3,
            Self::Probe(slot) => 5 | u64::from(slot) << Self::SLOT_AT,
            Self::Ramp => 7,
            Self::Bypass => 9,
            Self::Untracked => 11,
        }
    }

    fn from_number(number: u64) -> Self {
        match number as u8 {
            1 => Self::Call,
            3 => Self::Timed,
            5 => Self::Probe((number >> Self::SLOT_AT) as u16),
            7 => Self::Ramp,
            9 => Self::Bypass,
            _ => Self::Untracked,
        }
    }
}

impl Admission {
    #[inline]
    pub(super) fn new(epoch: Epoch, kind: Kind, started: Time) -> Self {
        // Every kind has that bit.
        Self { place: NonZeroU64::MIN | epoch.tag(kind.number()), started }
    }

    #[inline]
    pub(super) fn epoch(&self) -> Epoch {
        Epoch::of(self.place.get())
    }

    #[inline]
    pub(super) fn kind(&self) -> Kind {
        Kind::from_number(self.place.get())
    }

    /// Whether this call is a probe of a half-open breaker.
    #[inline]
    pub fn is_probe(&self) -> bool {
        matches!(self.kind(), Kind::Probe(_))
    }

    /// Whether this is a call of a closed breaker that need not know the time.
    #[inline]
    pub fn is_plain(&self) -> bool {
        matches!(self.kind(), Kind::Call)
    }

    /// Whether its result changes nothing, because the call was to be refused or passes by order.
    #[inline]
    pub fn is_bypass(&self) -> bool {
        matches!(self.kind(), Kind::Bypass | Kind::Untracked)
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission")
            .field("epoch", &self.epoch())
            .field("kind", &self.kind())
            .field("started", &self.started)
            .finish()
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_it_was_made_of() {
        let started = Time::from_millis(7);
        let probes = [0, 1, 999, u16::MAX].map(Kind::Probe);
        for kind in
            [Kind::Call, Kind::Timed, Kind::Ramp, Kind::Bypass, Kind::Untracked].into_iter().chain(probes)
        {
            for epoch in [Epoch::FIRST, Epoch::FIRST.next()] {
                let admission = Admission::new(epoch, kind, started);
                assert_eq!((admission.epoch(), admission.kind(), admission.started), (epoch, kind, started));
                assert_eq!(admission.is_plain(), kind == Kind::Call);
            }
        }
    }

    #[test]
    fn it_has_room_for_none() {
        assert_eq!(size_of::<Option<Admission>>(), 16);
    }
}
