//! Where chance comes from.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The golden ratio as a share of 2^64: steps of this size come close to every number before they come back.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A source of chance.
pub(crate) enum Dice {
    Thread,
    /// The same numbers every time, in the order of asking.
    Seeded(AtomicU64),
}

impl Dice {
    pub(crate) fn new(seed: Option<u64>) -> Self {
        seed.map_or(Self::Thread, |seed| Self::Seeded(AtomicU64::new(seed)))
    }

    /// Any 64 bits.
    pub(crate) fn draw(&self) -> u64 {
        match self {
            Self::Thread => fastrand::u64(..),
            Self::Seeded(next) => mixed(next.fetch_add(STEP, Relaxed).wrapping_add(STEP)),
        }
    }

    /// Whether what has this chance, 0 to 1, happens.
    pub(crate) fn happens(&self, chance: f64) -> bool {
        // The 53 highest bits as a share of 1.
        ((self.draw() >> 11) as f64 / (1u64 << 53) as f64) < chance
    }
}

/// The output of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): its
/// state is a counter, which threads can share without a lock. A generator that is seeded anew with each number of
/// a counter, as `fastrand` would be, gives numbers of which one tells the next.
fn mixed(state: u64) -> u64 {
    let once = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let twice = (once ^ once >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    twice ^ twice >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a share of 1.
    fn draws(seed: u64) -> Vec<f64> {
        let dice = Dice::new(Some(seed));
        (0..4096).map(|_| dice.draw() as f64 / u64::MAX as f64).collect()
    }

    /// The reference implementation's first numbers for the seed 1234567.
    #[test]
    fn it_is_the_published_generator() {
        let dice = Dice::new(Some(1_234_567));
        let numbers = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([dice.draw(), dice.draw(), dice.draw()], numbers);
    }

    fn correlation(pairs: impl Iterator<Item = (f64, f64)>) -> f64 {
        // Both are uniform: a mean of a half, a variance of a twelfth.
        let products: Vec<_> = pairs.map(|(one, other)| (one - 0.5) * (other - 0.5) * 12.0).collect();
        products.iter().sum::<f64>() / products.len() as f64
    }

    /// Of 4096 pairs that have nothing to do with each other, five standard deviations are 0.08.
    #[test]
    fn no_draw_tells_the_next_nor_the_same_one_of_the_next_seed() {
        for seed in [0, 1, 7, 42, u64::MAX] {
            let these = draws(seed);
            let mean = these.iter().sum::<f64>() / these.len() as f64;
            assert!((mean - 0.5).abs() < 0.025, "seed {seed}: mean {mean}");
            let next = correlation(these.iter().copied().zip(these[1..].iter().copied()));
            assert!(next.abs() < 0.08, "seed {seed}: {next} with the next draw");
            let beside = correlation(these.iter().copied().zip(draws(seed.wrapping_add(1))));
            assert!(beside.abs() < 0.08, "seed {seed}: {beside} with the next seed");
        }
    }
}
