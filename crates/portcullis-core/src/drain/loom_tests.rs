//! Every order in which a gate is closed, calls come, and the last one leaves.
#![expect(clippy::unwrap_used, reason = "tests, and what they share")]

mod wrong;

use loom::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    thread,
};

use super::*;
use crate::Time;

/// What a gate can do, so that twins that do it wrong can be put in its place.
trait Door: Send + Sync + 'static {
    fn make() -> Self;
    /// Whether the call may come in, and whether, refused, it found nobody inside any more.
    fn come(&self, shard: usize) -> Result<(), bool>;
    fn go(&self, shard: usize) -> bool;
    fn close(&self) -> bool;
}

impl Door for Gate {
    fn make() -> Self {
        Self::new(2)
    }

    fn come(&self, shard: usize) -> Result<(), bool> {
        self.enter(shard).map_err(|shut| shut.empty)
    }

    fn go(&self, shard: usize) -> bool {
        self.leave(shard)
    }

    fn close(&self) -> bool {
        self.close()
    }
}

/// What all saw of one gate.
struct World<D> {
    door: D,
    /// Somebody was told that nobody is inside.
    ended: AtomicBool,
    told: AtomicU32,
}

impl<D: Door> World<D> {
    fn new() -> Arc<Self> {
        Arc::new(Self { door: D::make(), ended: AtomicBool::new(false), told: AtomicU32::new(0) })
    }

    fn tell(&self, empty: bool) {
        if empty {
            self.ended.store(true, SeqCst);
            self.told.fetch_add(1, SeqCst);
        }
    }

    fn call(&self, shard: usize) {
        match self.door.come(shard) {
            Ok(()) => {
                assert!(!self.ended.load(SeqCst), "missed a call that is inside");
                self.tell(self.door.go(shard));
            }
            Err(empty) => self.tell(empty),
        }
    }

    fn close(&self) {
        self.tell(self.door.close());
    }

    fn check(&self) {
        assert!(self.told.load(SeqCst) > 0, "nobody was told of the end");
    }
}

/// Calls by these doors, while the gate is closed. Nobody who is inside is missed, and somebody is told in the end.
fn calls_while_it_closes<D: Door>(shards: &'static [usize]) {
    loom::model(move || {
        let world = World::<D>::new();
        let call = |&shard: &usize| {
            let world = world.clone();
            thread::spawn(move || world.call(shard))
        };
        let threads: Vec<_> = shards.iter().map(call).collect();
        world.close();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        world.check();
    });
}

/// Two who are inside leave by two doors when it is closed already.
fn last_ones_leave<D: Door>() {
    loom::model(|| {
        let world = World::<D>::new();
        assert!(world.door.come(0).is_ok() && world.door.come(1).is_ok());
        world.close();
        let other = world.clone();
        let thread = thread::spawn(move || other.tell(other.door.go(1)));
        world.tell(world.door.go(0));
        thread.join().unwrap();
        world.check();
    });
}

/// One who is inside leaves by the door by which another is refused.
fn one_leaves_while_one_is_refused<D: Door>() {
    loom::model(|| {
        let world = World::<D>::new();
        assert!(world.door.come(0).is_ok());
        world.close();
        let other = world.clone();
        let thread = thread::spawn(move || other.call(0));
        world.tell(world.door.go(0));
        thread.join().unwrap();
        world.check();
    });
}

#[test]
fn no_call_by_the_same_door_is_missed() {
    calls_while_it_closes::<Gate>(&[0, 0]);
}

#[test]
fn no_call_by_another_door_is_missed() {
    calls_while_it_closes::<Gate>(&[0, 1]);
}

#[test]
fn of_two_who_leave_one_is_told() {
    last_ones_leave::<Gate>();
}

#[test]
fn who_is_refused_hides_nobody() {
    one_leaves_while_one_is_refused::<Gate>();
}

/// What a roll tells was written by one call, also while a place changes hands.
#[test]
fn a_name_is_never_of_two_calls() {
    loom::model(|| {
        let roll = Arc::new(Roll::with_places(1));
        let place = roll.write(b"aaaaaaaaaaaaaaaa", Time::from_nanos(10)).unwrap();
        let other = roll.clone();
        let thread = thread::spawn(move || {
            other.strike(place);
            other.write(b"bbbbbbbbbbbbbbbb", Time::from_nanos(20)).unwrap();
        });
        for seen in roll.seen(Time::from_nanos(30)) {
            assert!(matches!(&*seen.name, "aaaaaaaaaaaaaaaa" | "bbbbbbbbbbbbbbbb"), "{}", seen.name);
        }
        thread.join().unwrap();
    });
}
