//! What loom must find: each is one of the ideas of the breaker, done in two steps instead of one.

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

/// The same on two threads.
pub(super) fn twice(work: impl Fn() + Clone + 'static) {
    let threads = [work.clone(), work].map(|work| thread::spawn(work));
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// Looks whether a permit is free, then takes it.
#[test]
#[should_panic(expected = "two probes on one permit")]
fn permit_taken_in_two_steps() {
    loom::model(|| {
        let (permit, taken) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let count = Arc::clone(&taken);
        twice(move || {
            if permit.load(Acquire) == 0 {
                permit.store(1, Release);
                taken.fetch_add(1, AcqRel);
            }
        });
        assert!(count.load(Acquire) < 2, "two probes on one permit");
    });
}

/// Gives a permit back without looking whose it is.
#[test]
#[should_panic(expected = "freed another's")]
fn permit_given_back_blindly() {
    loom::model(|| {
        let permit = Arc::new(AtomicU64::new(1));
        let late = {
            let permit = Arc::clone(&permit);
            thread::spawn(move || permit.store(0, Release))
        };
        permit.store(2, Release); // a newer epoch's lease
        late.join().unwrap();
        assert_eq!(permit.load(Acquire), 2, "freed another's");
    });
}

/// Counts by a load and a store.
#[test]
#[should_panic(expected = "lost a success")]
fn success_counted_in_two_steps() {
    loom::model(|| {
        let successes = Arc::new(AtomicU64::new(0));
        let sum = Arc::clone(&successes);
        twice(move || successes.store(successes.load(Relaxed) + 1, Relaxed));
        assert_eq!(sum.load(Acquire), 2, "lost a success");
    });
}

/// Moves a shard to a new epoch by a store, whatever another thread has counted there by then.
#[test]
#[should_panic(expected = "lost a success")]
fn epoch_entered_by_a_store() {
    const NEW: u64 = 1 << 48;
    loom::model(|| {
        let cell = Arc::new(AtomicU64::new(0));
        let sum = Arc::clone(&cell);
        twice(move || {
            if cell.load(Acquire) < NEW {
                cell.store(NEW, Release);
            }
            cell.fetch_add(1, AcqRel);
        });
        assert_eq!(sum.load(Acquire), NEW + 2, "lost a success");
    });
}

/// Counts the failure, and only then looks whether the breaker is closed, to open it by a store.
#[test]
#[should_panic(expected = "opened twice")]
fn opened_without_compare_exchange() {
    loom::model(|| {
        let (failures, open) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let trips = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&trips);
        twice(move || {
            if failures.fetch_add(1, AcqRel) + 1 >= 1 && open.load(Acquire) == 0 {
                open.store(1, Release);
                trips.fetch_add(1, AcqRel);
            }
        });
        assert!(count.load(Acquire) < 2, "opened twice");
    });
}
