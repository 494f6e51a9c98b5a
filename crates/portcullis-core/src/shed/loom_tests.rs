//! Every order in which a few threads can come, go, and be counted.

use loom::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    thread,
};

use super::{arrivals::Arrivals, gate::Gate, level::Rank};
use crate::Priority;

const LIMITS: [u32; Priority::COUNT] = [1, 1, 1, 1, 2];

/// What one call does: the most that it saw in flight, with it, if it was let in.
fn call(gate: &Gate, inside: &AtomicU32, class: Priority) -> Option<u32> {
    gate.enter(class).ok()?;
    let with_it = inside.fetch_add(1, Relaxed) + 1;
    inside.fetch_sub(1, Relaxed);
    gate.leave();
    Some(with_it)
}

#[test]
fn no_more_are_in_flight_than_may_be() {
    loom::model(|| {
        let gate = Arc::new((Gate::new([1; 5]), AtomicU32::new(0)));
        let threads = [(); 2].map(|()| {
            let gate = Arc::clone(&gate);
            thread::spawn(move || call(&gate.0, &gate.1, Priority::Normal))
        });
        let here = call(&gate.0, &gate.1, Priority::Normal);
        let seen = threads.map(|thread| thread.join().unwrap());
        assert!(seen.into_iter().chain([here]).flatten().all(|inside| inside <= 1));
        assert_eq!(gate.0.in_flight(), 0);
    });
}

/// One place is kept for the highest class. A call of another that is refused does not take it for a moment.
#[test]
fn who_is_refused_keeps_nobody_out() {
    loom::model(|| {
        let gate = Arc::new(Gate::new(LIMITS));
        gate.enter(Priority::Normal).unwrap();
        let other = {
            let gate = Arc::clone(&gate);
            thread::spawn(move || gate.enter(Priority::Normal).is_ok())
        };
        assert!(gate.enter(Priority::Highest).is_ok(), "there is room for it");
        assert!(!other.join().unwrap(), "and none for this one");
        assert_eq!(gate.in_flight(), 2);
    });
}

/// A gate that adds first, and takes it back where that was too much.
struct AddsFirst(AtomicU32);

impl AddsFirst {
    fn enter(&self, limit: u32) -> bool {
        let entered = self.0.fetch_add(1, Relaxed) < limit;
        if !entered {
            self.0.fetch_sub(1, Relaxed);
        }
        entered
    }
}

#[test]
#[should_panic(expected = "there is room for it")]
fn a_gate_that_adds_first_is_caught() {
    loom::model(|| {
        let gate = Arc::new(AddsFirst(AtomicU32::new(1)));
        let other = {
            let gate = Arc::clone(&gate);
            thread::spawn(move || gate.enter(1))
        };
        assert!(gate.enter(2), "there is room for it");
        assert!(!other.join().unwrap());
    });
}

/// A gate that looks, and then adds.
struct LooksFirst(AtomicU32);

impl LooksFirst {
    fn enter(&self, limit: u32) -> bool {
        let in_flight = self.0.load(Relaxed);
        if in_flight < limit {
            self.0.store(in_flight + 1, Relaxed);
        }
        in_flight < limit
    }
}

#[test]
#[should_panic(expected = "both are in")]
fn a_gate_that_looks_first_is_caught() {
    loom::model(|| {
        let gate = Arc::new(LooksFirst(AtomicU32::new(0)));
        let other = {
            let gate = Arc::clone(&gate);
            thread::spawn(move || gate.enter(1))
        };
        let here = gate.enter(1);
        assert!(!(other.join().unwrap() && here), "both are in");
    });
}

#[test]
fn no_arrival_is_lost_or_counted_twice() {
    loom::model(|| {
        let arrivals = Arc::new(Arrivals::new(1));
        let threads = [(); 2].map(|()| {
            let arrivals = Arc::clone(&arrivals);
            thread::spawn(move || arrivals.count(Rank(0)))
        });
        let early: u32 = arrivals.take().sum();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(early + arrivals.take().sum::<u32>(), 2);
    });
}
