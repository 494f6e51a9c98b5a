//! Every order in which calls can reach the end of a generation.

use loom::{
    sync::{
        Arc,
        atomic::{
            AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    thread,
};
use std::time::Duration;

use super::{followed::Followed, generations::Generations};
use crate::Time;

const WIDTH: Duration = Duration::from_millis(10);

/// One index, one shard, and a call in the generation that ends at 10 ms.
fn begun() -> Arc<Generations<1>> {
    let counts = Generations::new(WIDTH, 1);
    counts.count(0, 0, Time::from_millis(1));
    Arc::new(counts)
}

/// Two calls that both find the generation ended: it ends once, and all three calls are seen.
#[test]
fn two_end_a_generation_and_no_call_is_lost() {
    loom::model(|| {
        let counts = begun();
        let there = Arc::clone(&counts);
        let other = thread::spawn(move || there.count(0, 0, Time::from_millis(12)));
        counts.count(0, 0, Time::from_millis(13));
        other.join().unwrap();
        assert_eq!(counts.sum(Time::from_millis(14)), [3]);
        // Who ended it counted in the new one; the other there too, or with the first.
        let seen = counts.sum(Time::from_millis(22))[0];
        assert!((1..=2).contains(&seen), "the first is too old: {seen}");
    });
}

/// A call of the old generation that comes late is seen, whoever ends the generation meanwhile.
#[test]
fn a_call_that_is_late_is_seen() {
    loom::model(|| {
        let counts = begun();
        let there = Arc::clone(&counts);
        let other = thread::spawn(move || there.count(0, 0, Time::from_millis(10)));
        assert!((1..=2).contains(&counts.sum(Time::from_millis(12))[0]));
        other.join().unwrap();
        assert_eq!(counts.sum(Time::from_millis(13)), [2]);
    });
}

/// Of two that find a look due, one looks.
#[test]
fn one_looks() {
    loom::model(|| {
        let (followed, looks) = (Arc::new(Followed::default()), Arc::new(AtomicU64::new(0)));
        let look = |followed: &Followed, looks: &AtomicU64| {
            followed.value(Time::from_millis(1), || {
                looks.fetch_add(1, Relaxed);
                Some(WIDTH)
            })
        };
        let (its, count) = (Arc::clone(&followed), Arc::clone(&looks));
        let other = thread::spawn(move || look(&its, &count));
        let here = look(&followed, &looks);
        let there = other.join().unwrap();
        assert_eq!(looks.load(Acquire), 1);
        assert!(here.or(there) == Some(WIDTH), "who looked knows");
    });
}

/// What loom must find: puts the next generation in place, then empties its slot.
#[test]
#[should_panic(expected = "lost a call")]
fn wrong_slot_emptied_after_it_is_in_place() {
    loom::model(|| {
        let [slot, newest] = [0, 0].map(|n| Arc::new(AtomicU64::new(n)));
        let (counts, word) = (Arc::clone(&slot), Arc::clone(&newest));
        let other = thread::spawn(move || {
            let counted = word.load(Acquire) == 1;
            if counted {
                counts.fetch_add(1, Relaxed);
            }
            counted
        });
        newest.store(1, Release);
        slot.store(0, Relaxed);
        let counted = u64::from(other.join().unwrap());
        assert_eq!(slot.load(Acquire), counted, "lost a call");
    });
}

/// What loom must find: two find the generation ended, and neither looks again when it is its turn.
#[test]
#[should_panic(expected = "skipped a generation")]
fn wrong_end_without_a_second_look() {
    loom::model(|| {
        let [word, taken] = [0, 0].map(|n| Arc::new(AtomicU64::new(n)));
        let (there, turn) = (Arc::clone(&word), Arc::clone(&taken));
        let end = |word: &AtomicU64, taken: &AtomicU64| {
            if word.load(Acquire) == 0 && taken.compare_exchange(0, 1, Acquire, Relaxed).is_ok() {
                word.fetch_add(1, Release);
                taken.store(0, Release);
            }
        };
        let other = thread::spawn(move || end(&there, &turn));
        end(&word, &taken);
        other.join().unwrap();
        assert_eq!(word.load(Acquire), 1, "skipped a generation");
    });
}
