//! How the attempts of a call failed.

use std::fmt;

use portcullis_core::FailureKind;

/// Bits of one kind, whose numbers begin with 1.
const BITS: u32 = 4;

/// The kinds of failure of the last sixteen failed attempts of a call, in their order.
///
/// ```
/// use portcullis::{FailureKind, retry::Failures};
///
/// let failures = Failures::from_iter([FailureKind::Timeout, FailureKind::Network]);
/// assert_eq!(failures.iter().collect::<Vec<_>>(), [FailureKind::Timeout, FailureKind::Network]);
/// assert_eq!(failures.to_string(), "timeout, network");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Failures(u64);

impl Failures {
    /// One more.
    pub(crate) fn push(&mut self, kind: FailureKind) {
        self.0 = self.0 << BITS | kind as u64;
    }

    /// Each, the eldest first.
    pub fn iter(self) -> impl Iterator<Item = FailureKind> {
        (0..u64::BITS / BITS).rev().filter_map(move |place| Self(self.0 >> (place * BITS)).last())
    }

    /// The youngest.
    pub fn last(self) -> Option<FailureKind> {
        // Numbers begin with 1: nothing is 0.
        let number = (self.0 & ((1 << BITS) - 1)) as usize;
        FailureKind::ALL.get(number.wrapping_sub(1)).copied()
    }
}

impl FromIterator<FailureKind> for Failures {
    fn from_iter<I: IntoIterator<Item = FailureKind>>(kinds: I) -> Self {
        let mut failures = Self::default();
        kinds.into_iter().for_each(|kind| failures.push(kind));
        failures
    }
}

impl fmt::Debug for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, kind) in self.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}{}", kind.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_sixteen_are_kept_in_order() {
        let kinds: Vec<_> = FailureKind::ALL.into_iter().cycle().take(30).collect();
        let failures = Failures::from_iter(kinds.iter().copied());
        assert!(failures.iter().eq(kinds[14..].iter().copied()));
        assert_eq!(failures.last(), kinds.last().copied());
        assert_eq!(Failures::default().last(), None);
    }
}
