//! The same endpoint for the same key.

use std::hash::{Hash, Hasher};

use super::draw::unit;

/// Of `count` places, each with the hash of its name and its weight, more than 0, the one for the key of this
/// hash. `None`, when there are none.
///
/// Keys are spread by the weights. When a place comes or goes, only the keys that go to it or were on it move; when
/// a weight changes, only as many as must. It is rendezvous hashing (Thaler and Ravishankar, 1998), with weights
/// as by Schindelhauer and Schomaker (2005): takes a look at every place.
pub fn rendezvous(key: u64, count: usize, place: impl Fn(usize) -> (u64, f64)) -> Option<usize> {
    let score = |at: usize| {
        let (name, weight) = place(at);
        // In (0, 1]: its logarithm is finite.
        let share = 1.0 - unit(mixed(key ^ mixed(name)));
        (-share.ln() / weight, at)
    };
    (0..count).map(score).min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, at)| at)
}

/// The hash of a key, or of a name: the same in every process, so that several clients agree. Whoever can choose
/// keys can choose many for one endpoint.
pub fn key_hash(key: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = KeyHasher::default();
    key.hash(&mut hasher);
    hasher.finish()
}

/// The hasher of [`key_hash`]: FNV-1a, with its bits mixed at the end. The same everywhere for text and bytes; for
/// numbers, on machines of one byte order.
#[derive(Clone, Debug)]
pub struct KeyHasher(u64);

impl Default for KeyHasher {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        mixed(self.0)
    }
}

/// Every bit of the number in every bit of another (the end of SplitMix64): numbers that follow each other become
/// lots that have nothing to do with each other.
pub fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    const KEYS: u64 = 20_000;

    fn places(endpoints: &[(&str, f64)]) -> Vec<String> {
        let place = |key| {
            let of = |at: usize| (key_hash(endpoints[at].0), endpoints[at].1);
            let at = rendezvous(key_hash(&key), endpoints.len(), of);
            at.map_or("", |at| endpoints[at].0).to_owned()
        };
        (0..KEYS).map(place).collect()
    }

    fn share(places: &[String], name: &str) -> f64 {
        places.iter().filter(|place| *place == name).count() as f64 / places.len() as f64
    }

    #[test]
    fn only_the_keys_of_who_goes_move() {
        let all = places(&[("a", 1.0), ("b", 1.0), ("c", 1.0), ("d", 1.0)]);
        let without = places(&[("a", 1.0), ("b", 1.0), ("d", 1.0)]);
        assert!(all.iter().zip(&without).all(|(before, after)| before == after || before == "c"));
        assert!(["a", "b", "d"].iter().all(|name| (share(&without, name) - 1.0 / 3.0).abs() < 0.02));
    }

    #[test]
    fn keys_are_spread_by_weight_and_move_only_to_who_gains() {
        let before = places(&[("a", 1.0), ("b", 1.0)]);
        let after = places(&[("a", 1.0), ("b", 3.0)]);
        assert!((share(&after, "b") - 0.75).abs() < 0.02);
        assert!(before.iter().zip(&after).all(|(before, after)| before == after || after == "b"));
    }

    #[test]
    fn the_hash_is_the_same_for_ever() {
        assert_eq!(key_hash("host-a"), key_hash(&String::from("host-a")));
        assert_eq!(key_hash("host-a"), 2_919_191_863_143_718_328);
    }

    #[test]
    fn of_none_there_is_none() {
        assert_eq!(rendezvous(1, 0, |_| (0, 1.0)), None);
    }
}
