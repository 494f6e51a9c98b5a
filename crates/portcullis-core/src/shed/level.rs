//! How much a call matters, among all others.

use crate::Priority;

/// Levels there are: a hundred for each class. A class's hundred are its users, or chance.
pub const LEVELS: u32 = Priority::COUNT as u32 * IN_CLASS;

const IN_CLASS: u32 = 100;

/// Into how many parts a level is cut by lot, so that a part of it can be refused, when all calls are of one
/// level. A power of two.
pub(super) const LOTS: u32 = 256;

/// A level, and the call's lot among those of the same one. Whoever has a higher one is not refused before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank(pub(super) u32);

impl Rank {
    /// The rank of a call, by its class, by its user, and by 64 random bits.
    pub(super) fn of(priority: Priority, user: Option<u64>, draw: u64) -> Self {
        // The lot is of other bits than the place in the class.
        let place = scaled(user.map_or(draw, mixed), IN_CLASS);
        let lot = draw as u32 & (LOTS - 1);
        Self((priority as u32 * IN_CLASS + place) * LOTS + lot)
    }

    pub(super) const fn level(self) -> u32 {
        self.0 / LOTS
    }
}

/// The upper half of a number as one below `end`.
fn scaled(number: u64, end: u32) -> u32 {
    (((number >> 32) * u64::from(end)) >> 32) as u32
}

/// A number for a user in a time: with another `time` other users are refused first. Nobody is always the one.
///
/// ```
/// use portcullis_core::shed::spread;
///
/// assert_ne!(spread(17, 1), spread(17, 2));
/// ```
pub const fn spread(user: u64, time: u64) -> u64 {
    mixed(user ^ mixed(time))
}

/// All bits of the number in each bit of the result (the finalizer of splitmix64).
const fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
#[cfg(not(portcullis_loom))]
mod tests {
    use super::*;

    #[test]
    fn classes_do_not_overlap_and_are_filled() {
        for priority in Priority::ALL {
            let first = priority as u32 * IN_CLASS;
            assert_eq!(Rank::of(priority, None, 0), Rank(first * LOTS));
            let last = Rank::of(priority, None, u64::MAX);
            assert_eq!((last.level(), last.0 + 1), (first + 99, (first + 100) * LOTS));
        }
    }

    #[test]
    fn a_user_has_one_level_and_users_have_all() {
        let level = |user, draw| Rank::of(Priority::Low, Some(user), draw).level();
        assert!((0..1000).all(|draw| level(7, draw << 32) == level(7, 0)));
        let mut seen = [0u32; 100];
        (0..100_000).for_each(|user| seen[level(user, 0) as usize - 100] += 1);
        assert!(seen.iter().all(|users| (800..1200).contains(users)), "{seen:?}");
    }
}
