//! Which calls are in flight, and since when.

use std::time::Duration;

use crate::{
    Time,
    sync::atomic::{
        AtomicU32, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
        fence,
    },
};

/// How many calls one roll remembers; more are counted and not named.
pub const ROLL_PLACES: usize = 64;
/// How much of a call's name is remembered: the paths of most services, and methods of gRPC.
pub const NAME_BYTES: usize = WORDS * 8;
const WORDS: usize = 6;
/// How many places are tried: with one that is free it is mostly the first.
const TRIES: usize = 4;

/// Nobody has the place.
const FREE: u64 = 0;
/// Somebody is writing.
const WRITING: u64 = 1;

/// The calls that are in flight in one shard, as far as there are places: since when, and the beginning of their
/// names. Nothing is locked or allocated: the bytes of a name are kept in words.
#[derive(Debug)]
pub struct Roll {
    places: Box<[Entry]>,
    /// A place that is likely free.
    next: AtomicU32,
}

#[derive(Debug)]
struct Entry {
    /// Nanoseconds, at least 2; [`FREE`] or [`WRITING`].
    since: AtomicU64,
    name: [AtomicU64; WORDS],
}

/// A call's place in a roll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(u32);

/// A call in flight, as a [`Roll`] has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The beginning of its name, empty if it has none.
    pub name: String,
    /// How long it has been in flight.
    pub ran: Duration,
}

impl Default for Roll {
    fn default() -> Self {
        Self::with_places(ROLL_PLACES)
    }
}

impl Roll {
    /// A roll with so many places, rounded up to a power of two.
    pub fn with_places(places: usize) -> Self {
        let entry =
            |_| Entry { since: AtomicU64::new(FREE), name: std::array::from_fn(|_| AtomicU64::new(0)) };
        Self { places: (0..places.next_power_of_two()).map(entry).collect(), next: AtomicU32::new(0) }
    }

    /// Writes a call down; `None` when no place was found for it.
    #[inline]
    pub fn write(&self, name: &[u8], now: Time) -> Option<Place> {
        let first = self.next.load(Relaxed) as usize;
        for at in first..first + TRIES {
            let at = at & (self.places.len() - 1);
            let entry = &self.places[at];
            if entry.since.load(Relaxed) == FREE
                && entry.since.compare_exchange(FREE, WRITING, Acquire, Relaxed).is_ok()
            {
                entry.put(name, now);
                self.next.store(at as u32 + 1, Relaxed);
                return Some(Place(at as u32));
            }
        }
        self.next.store((first + TRIES) as u32, Relaxed);
        None
    }

    /// The call is over. Its place is the next to be taken: what is warm is used again.
    #[inline]
    pub fn strike(&self, place: Place) {
        self.places[place.0 as usize & (self.places.len() - 1)].since.store(FREE, Release);
        self.next.store(place.0, Relaxed);
    }

    /// All that are written down, in no order.
    pub fn seen(&self, now: Time) -> Vec<Seen> {
        self.places.iter().filter_map(|entry| entry.read(now)).collect()
    }
}

impl Entry {
    #[inline]
    fn put(&self, name: &[u8], now: Time) {
        let mut rest = name;
        for word in &self.name {
            let taken = rest.len().min(8);
            let mut bytes = [0; 8];
            bytes[..taken].copy_from_slice(&rest[..taken]);
            rest = &rest[taken..];
            // Who reads it and asks again, sees that somebody is writing.
            word.store(u64::from_le_bytes(bytes), Release);
            // Its zeros end the name; what is behind them is of an earlier call.
            if taken < 8 {
                break;
            }
        }
        self.since.store(now.as_nanos().max(WRITING + 1), Release);
    }

    /// The call, unless it is over or another one before it was read.
    fn read(&self, now: Time) -> Option<Seen> {
        let since = self.since.load(Acquire);
        if since <= WRITING {
            return None;
        }
        let bytes: Vec<u8> = self.name.iter().flat_map(|word| word.load(Relaxed).to_le_bytes()).collect();
        fence(Acquire);
        let same = self.since.load(Relaxed) == since;
        let name = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        same.then(|| Seen {
            name: String::from_utf8_lossy(name).into_owned(),
            ran: now.since(Time::from_nanos(since)),
        })
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Time = Time::from_millis(1000);

    fn names(roll: &Roll) -> Vec<String> {
        let mut names: Vec<_> = roll.seen(NOW).into_iter().map(|seen| seen.name).collect();
        names.sort();
        names
    }

    #[test]
    fn tells_who_and_since_when() {
        let roll = Roll::default();
        roll.write(b"/stock/tea", Time::from_millis(400)).unwrap();
        let seen = Seen { name: "/stock/tea".into(), ran: Duration::from_millis(600) };
        assert_eq!(roll.seen(NOW), [seen]);
    }

    #[test]
    fn a_long_name_is_cut_and_a_short_one_has_nothing_of_it() {
        let roll = Roll::with_places(1);
        let long = roll.write(&[b'a'; 100], NOW).unwrap();
        assert_eq!(names(&roll), ["a".repeat(NAME_BYTES)]);
        roll.strike(long);
        let short = roll.write(b"12345678", NOW).unwrap();
        assert_eq!(names(&roll), ["12345678"]);
        roll.strike(short);
        roll.write(b"", NOW).unwrap();
        assert_eq!(names(&roll), [""]);
    }

    #[test]
    fn who_finds_no_place_is_not_written_down() {
        let roll = Roll::with_places(2);
        let [a, b] = [b"a", b"b"].map(|name| roll.write(name, NOW).unwrap());
        assert_eq!(roll.write(b"c", NOW), None);
        roll.strike(a);
        assert!(roll.write(b"d", NOW).is_some());
        assert_eq!(names(&roll), ["b", "d"]);
        roll.strike(b);
    }

    proptest! {
        /// Against a list: whatever comes and goes, those that have a place are those that are told.
        #[test]
        fn tells_those_who_are_there(steps in prop::collection::vec((any::<bool>(), 0_usize..8), 0..200)) {
            let roll = Roll::with_places(8);
            let mut there: Vec<(Place, String)> = Vec::new();
            for (step, (comes, at)) in steps.into_iter().enumerate() {
                if comes {
                    let name = format!("/call/{step}");
                    there.extend(roll.write(name.as_bytes(), NOW).map(|place| (place, name)));
                } else if at < there.len() {
                    roll.strike(there.swap_remove(at).0);
                }
                let mut expected: Vec<_> = there.iter().map(|(_, name)| name.clone()).collect();
                expected.sort();
                prop_assert_eq!(names(&roll), expected);
            }
        }
    }
}
