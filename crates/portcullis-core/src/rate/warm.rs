//! A clock that goes slower at first.

use super::Warmup;
use crate::time::nanos;

/// Shares are told in this many parts: exactly enough for a share with six digits.
const PARTS: u128 = 1 << 20;

/// A clock whose pace rises in a straight line from a share of the real one to all of it. A bucket that fills by
/// this clock warms up, and grants no more than one that fills by the real one, because it is never faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Warm {
    from: u128,
    time: u64,
    /// When it began, and what it showed then.
    began: u64,
    shown: u64,
}

impl Warm {
    pub(super) fn new(rule: Warmup, now: u64) -> Self {
        let from = ((rule.from * PARTS as f64) as u128).clamp(1, PARTS);
        Self { from, time: nanos(rule.time), began: now, shown: now }
    }

    /// The same pace from the beginning. What it shows does not jump.
    pub(super) fn restart(&mut self, now: u64) {
        (self.began, self.shown) = (now, self.at(now));
    }

    /// Goes on where another stands, which began by another rule: as old, and showing the same.
    pub(super) fn go_on(&mut self, before: &Self, now: u64) {
        self.began = before.began;
        self.shown = before.shown;
        // Of the two rules one may have gone further by now; nothing may jump.
        self.shown = self.shown.saturating_add(before.at(now)).saturating_sub(self.at(now));
    }

    /// How long it takes to the full pace.
    pub(super) fn time(&self) -> u64 {
        self.time
    }

    /// The share to begin with, of this.
    pub(super) fn share_of(&self, whole: u64) -> u64 {
        (u128::from(whole) * self.from / PARTS) as u64
    }

    /// What it shows. In a nanosecond it goes on by one, or by nothing.
    pub(super) fn at(&self, now: u64) -> u64 {
        let age = now.saturating_sub(self.began);
        let warming = u128::from(age.min(self.time));
        let whole = 2 * PARTS * u128::from(self.time.max(1));
        // The integral of the pace: a trapezoid.
        let slow = 2 * u128::from(self.time) * self.from * warming + (PARTS - self.from) * warming * warming;
        let rest = age.saturating_sub(self.time);
        self.shown.saturating_add((slow / whole) as u64).saturating_add(rest)
    }

    /// The first moment from `now` on at which it shows that.
    pub(super) fn when(&self, shown: u64, now: u64) -> u64 {
        // After the warm-up it goes like the real one.
        let (mut low, mut high) =
            (now, now.saturating_add(self.time).saturating_add(shown.saturating_sub(self.at(now))));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.at(middle) >= shown { high = middle } else { low = middle + 1 }
        }
        high
    }
}
