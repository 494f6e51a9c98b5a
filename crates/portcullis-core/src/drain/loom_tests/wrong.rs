//! Gates that are wrong, and are seen to be.

use loom::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{AcqRel, Acquire, Release},
};

use super::{Door, calls_while_it_closes, last_ones_leave, one_leaves_while_one_is_refused};

const CLOSED: u64 = 1 << 63;

/// Looks whether it is closed, and only then counts the call.
struct LooksFirst {
    closed: AtomicBool,
    inside: AtomicU64,
}

impl Door for LooksFirst {
    fn make() -> Self {
        Self { closed: AtomicBool::new(false), inside: AtomicU64::new(0) }
    }

    fn come(&self, _: usize) -> Result<(), bool> {
        if self.closed.load(Acquire) {
            return Err(false);
        }
        self.inside.fetch_add(1, AcqRel);
        Ok(())
    }

    fn go(&self, _: usize) -> bool {
        self.inside.fetch_sub(1, AcqRel) == 1 && self.closed.load(Acquire)
    }

    fn close(&self) -> bool {
        self.closed.store(true, Release);
        self.inside.load(Acquire) == 0
    }
}

#[test]
#[should_panic(expected = "missed a call that is inside")]
fn a_gate_that_looks_before_it_counts_is_seen() {
    calls_while_it_closes::<LooksFirst>(&[0]);
}

/// Two doors, of which those who leave only read the other's.
struct OnlyReads([AtomicU64; 2]);

impl OnlyReads {
    fn is_empty(&self) -> bool {
        self.0.iter().all(|door| door.load(Acquire) == CLOSED)
    }
}

impl Door for OnlyReads {
    fn make() -> Self {
        Self([AtomicU64::new(0), AtomicU64::new(0)])
    }

    fn come(&self, shard: usize) -> Result<(), bool> {
        match self.0[shard].fetch_add(1, AcqRel) & CLOSED {
            0 => Ok(()),
            _ => Err(self.go(shard)),
        }
    }

    fn go(&self, shard: usize) -> bool {
        self.0[shard].fetch_sub(1, AcqRel) == CLOSED | 1 && self.is_empty()
    }

    fn close(&self) -> bool {
        for door in &self.0 {
            door.fetch_or(CLOSED, AcqRel);
        }
        self.is_empty()
    }
}

#[test]
#[should_panic(expected = "nobody was told of the end")]
fn doors_that_are_only_read_are_seen() {
    last_ones_leave::<OnlyReads>();
}

/// One door, where who is refused says nothing when it goes.
struct Silent(AtomicU64);

impl Door for Silent {
    fn make() -> Self {
        Self(AtomicU64::new(0))
    }

    fn come(&self, _: usize) -> Result<(), bool> {
        match self.0.fetch_add(1, AcqRel) & CLOSED {
            0 => Ok(()),
            _ => {
                self.0.fetch_sub(1, AcqRel);
                Err(false)
            }
        }
    }

    fn go(&self, _: usize) -> bool {
        self.0.fetch_sub(1, AcqRel) == CLOSED | 1
    }

    fn close(&self) -> bool {
        self.0.fetch_or(CLOSED, AcqRel) == 0
    }
}

#[test]
#[should_panic(expected = "nobody was told of the end")]
fn who_is_refused_and_says_nothing_is_seen() {
    one_leaves_while_one_is_refused::<Silent>();
}
