//! Throttles with one step wrong, each of which the models above would find.

use loom::{
    sync::{
        Arc,
        atomic::{
            AtomicU64,
            Ordering::{AcqRel, Acquire, Relaxed, Release},
        },
    },
    thread,
};

/// Counts of two shards, and what was told of them last.
#[derive(Default)]
struct Counts {
    cells: [AtomicU64; 2],
    wanted: AtomicU64,
    told: AtomicU64,
}

impl Counts {
    fn sum(&self) -> u64 {
        self.cells.iter().map(|cell| cell.load(Relaxed)).sum()
    }

    /// Whether somebody else looks.
    fn must_leave(&self) -> bool {
        self.wanted.fetch_add(1, AcqRel) > 0
    }
}

/// Whether what was told last misses something, in any order of two threads that count one each.
fn misses(count: fn(&Counts, usize)) -> bool {
    let missed = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let seen = missed.clone();
    loom::model(move || {
        let counts = Arc::new(Counts::default());
        let other = Arc::clone(&counts);
        let other = thread::spawn(move || count(&other, 1));
        count(&counts, 0);
        other.join().unwrap();
        if counts.told.load(Acquire) != 2 {
            seen.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    });
    missed.load(std::sync::atomic::Ordering::Relaxed)
}

#[test]
fn as_it_is_nothing_is_missed() {
    assert!(!misses(|counts, shard| {
        counts.cells[shard].fetch_add(1, Relaxed);
        if counts.must_leave() {
            return;
        }
        loop {
            let seen = counts.wanted.load(Acquire);
            counts.told.store(counts.sum(), Release);
            if counts.wanted.compare_exchange(seen, 0, AcqRel, Acquire).is_ok() {
                return;
            }
        }
    }));
}

/// Who finds somebody looking leaves, and that one has looked past it.
#[test]
fn a_look_that_is_not_done_again_misses() {
    assert!(misses(|counts, shard| {
        counts.cells[shard].fetch_add(1, Relaxed);
        if counts.must_leave() {
            return;
        }
        counts.told.store(counts.sum(), Release);
        counts.wanted.store(0, Release);
    }));
}

/// The count comes after the wish for a look.
#[test]
fn a_count_after_the_wish_misses() {
    assert!(misses(|counts, shard| {
        if counts.must_leave() {
            counts.cells[shard].fetch_add(1, Relaxed);
            return;
        }
        counts.cells[shard].fetch_add(1, Relaxed);
        loop {
            let seen = counts.wanted.load(Acquire);
            counts.told.store(counts.sum(), Release);
            if counts.wanted.compare_exchange(seen, 0, AcqRel, Acquire).is_ok() {
                return;
            }
        }
    }));
}

/// What is wanted is read after the sum: who came in between is taken for seen.
#[test]
fn a_wish_that_is_read_after_the_sum_misses() {
    assert!(misses(|counts, shard| {
        counts.cells[shard].fetch_add(1, Relaxed);
        if counts.must_leave() {
            return;
        }
        loop {
            counts.told.store(counts.sum(), Release);
            let seen = counts.wanted.load(Acquire);
            if counts.wanted.compare_exchange(seen, 0, AcqRel, Acquire).is_ok() {
                return;
            }
        }
    }));
}
