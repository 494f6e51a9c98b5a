//! Who is inside, and that nobody comes in any more.

use crate::{
    Padded,
    sync::atomic::{
        AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
};

/// The door is closed; the other bits count who is inside.
const CLOSED: u64 = 1 << 63;

/// Counts calls in flight, in as many doors as there are shards, and is closed once.
///
/// The count of a door and whether it is closed are one word, so that one addition counts a call and tells whether it
/// may come in: a call is either counted before the gate was closed, or refused. There is no moment in between.
#[derive(Debug)]
pub struct Gate {
    doors: Box<[Padded<AtomicU64>]>,
}

/// A call that was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shut {
    /// Nobody is inside any more, and this call was what hid that from who left last.
    pub empty: bool,
}

impl Gate {
    /// An open gate with so many doors; at least one.
    pub fn new(doors: usize) -> Self {
        Self { doors: (0..doors.max(1)).map(|_| Padded(AtomicU64::new(0))).collect() }
    }

    #[inline]
    fn door(&self, shard: usize) -> &AtomicU64 {
        // There is a first one: `new` says so.
        self.doors.get(shard).unwrap_or(&self.doors[0])
    }

    /// Counts a call, by the door of this shard, through which it has to [leave](Self::leave).
    ///
    /// # Errors
    ///
    /// When the door is closed; the call is not counted.
    #[inline]
    pub fn enter(&self, shard: usize) -> Result<(), Shut> {
        // What was done before the gate was closed is seen by who is refused by it.
        match self.door(shard).fetch_add(1, Acquire) & CLOSED {
            0 => Ok(()),
            // Who left meanwhile saw this call inside, and was not the last one: so this may be it.
            _ => Err(Shut { empty: self.leave(shard) }),
        }
    }

    /// A call has left that entered by this door. Whether nobody is inside any more of a gate that is closed.
    #[inline]
    pub fn leave(&self, shard: usize) -> bool {
        // Whoever finds the gate empty sees all that was done inside.
        self.door(shard).fetch_sub(1, AcqRel) == CLOSED | 1 && self.is_empty()
    }

    /// Lets nobody in any more. Whether nobody is inside: else the last one will be told so by
    /// [`leave`](Self::leave). To close it again does no harm.
    pub fn close(&self) -> bool {
        for door in &self.doors {
            door.fetch_or(CLOSED, AcqRel);
        }
        self.is_empty()
    }

    /// Whether it is closed and nobody is inside.
    ///
    /// Two who leave by two doors at once look at each other's. Loads might show both the other still inside; so the
    /// doors are written, if with nothing: of two writes to a door the later one knows of the earlier.
    #[cold]
    pub fn is_empty(&self) -> bool {
        self.doors.iter().all(|door| door.fetch_add(0, AcqRel) == CLOSED)
    }

    /// Calls inside, more or less: while calls come and go.
    pub fn in_flight(&self) -> u64 {
        self.doors.iter().map(|door| door.load(Relaxed) & !CLOSED).sum()
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use super::*;

    #[test]
    fn who_leaves_last_is_told_whichever_the_door() {
        let gate = Gate::new(4);
        let shards = [0, 1, 2, 3, 4, 9];
        assert!(shards.iter().all(|&shard| gate.enter(shard).is_ok()));
        assert!(!gate.close());
        assert_eq!(gate.in_flight(), 6);
        let told: Vec<_> = shards.iter().map(|&shard| gate.leave(shard)).collect();
        assert_eq!(told, [false, false, false, false, false, true]);
    }

    #[test]
    fn closing_it_again_does_no_harm() {
        let gate = Gate::new(2);
        assert!(!gate.is_empty(), "it is open");
        assert!(gate.close() && gate.close());
        assert_eq!(gate.enter(1), Err(Shut { empty: true }));
        assert_eq!(gate.in_flight(), 0);
    }

    #[test]
    fn an_open_gate_tells_nobody() {
        let gate = Gate::new(1);
        gate.enter(0).unwrap();
        assert!(!gate.leave(0));
    }
}
