//! Any order of coming, settling and going, against a model that keeps it all.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, Wake, Waker},
};

use proptest::prelude::*;

use super::{Bounds, Flights, Joined, Leader, Turn, Waiter};

#[derive(Clone, Debug)]
enum Step {
    Join {
        key: u8,
    },
    /// The call of this place is polled, if it waits.
    Poll {
        call: usize,
    },
    /// The call of this place goes.
    Drop {
        call: usize,
    },
    Settle {
        call: usize,
    },
    Dissolve {
        call: usize,
    },
    EndAlone {
        call: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_u8).prop_map(|key| Step::Join { key }),
        4 => (0..8_usize).prop_map(|call| Step::Poll { call }),
        2 => (0..8_usize).prop_map(|call| Step::Drop { call }),
        1 => (0..8_usize).prop_map(|call| Step::Settle { call }),
        1 => (0..8_usize).prop_map(|call| Step::Dissolve { call }),
        1 => (0..8_usize).prop_map(|call| Step::EndAlone { call }),
    ]
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

enum Role {
    Leader(Leader<u8, u64>),
    Waiter(Pin<Box<Waiter<u8, u64>>>),
}

/// What a waiter should see.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Due {
    Nothing,
    Lead,
    Shared(u64),
    Alone,
}

struct Call {
    key: u8,
    role: Role,
    due: Due,
    polled: bool,
    wakes: Arc<Count>,
}

/// Calls in the order in which they came.
#[derive(Default)]
struct World {
    flights: Flights,
    calls: Vec<Call>,
    settled: u64,
}

const BOUNDS: Bounds = Bounds { keys: 2, waiting: 3 };

impl World {
    /// Who leads, or is to lead, and the rest that waits for it.
    fn members(&self, key: u8) -> Vec<usize> {
        let calls = self.calls.iter().enumerate();
        let member = move |(_, call): &(usize, &Call)| {
            call.key == key && !matches!(call.due, Due::Shared(_) | Due::Alone)
        };
        calls.filter(member).map(|(at, _)| at).collect()
    }

    fn keys(&self) -> usize {
        (0..3).filter(|key| !self.members(*key).is_empty()).count()
    }

    fn waiting(&self, key: u8) -> usize {
        self.members(key)
            .into_iter()
            .filter(|at| self.calls[*at].due == Due::Nothing && self.waits(*at))
            .count()
    }

    fn waits(&self, at: usize) -> bool {
        matches!(self.calls[at].role, Role::Waiter(_))
    }

    fn join(&mut self, key: u8) {
        let is_new = self.members(key).is_empty();
        let full = if is_new { self.keys() >= BOUNDS.keys } else { self.waiting(key) >= BOUNDS.waiting };
        let role = match self.flights.join(key, BOUNDS) {
            Joined::Full => return assert!(full),
            Joined::Leader(leader) => {
                assert!(is_new && !full);
                Role::Leader(leader)
            }
            Joined::Waiter(waiter) => {
                assert!(!is_new && !full);
                Role::Waiter(Box::pin(waiter))
            }
        };
        self.calls.push(Call { key, role, due: Due::Nothing, polled: false, wakes: Arc::default() });
    }

    fn poll(&mut self, at: usize) {
        let call = &mut self.calls[at];
        let Role::Waiter(waiter) = &mut call.role else { return };
        let waker = Waker::from(call.wakes.clone());
        let polled = waiter.as_mut().poll(&mut Context::from_waker(&waker));
        let wakes = usize::from(call.polled && call.due != Due::Nothing);
        assert_eq!(call.wakes.0.load(Relaxed), wakes, "{:?}", call.due);
        call.polled = true;
        match (polled, call.due) {
            (Poll::Pending, Due::Nothing) => {}
            (Poll::Ready(Turn::Lead(leader)), Due::Lead) => {
                call.role = Role::Leader(leader);
                call.due = Due::Nothing;
            }
            (Poll::Ready(Turn::Shared(got)), Due::Shared(outcome)) => {
                assert_eq!(*got, outcome);
                self.calls.remove(at);
            }
            (Poll::Ready(Turn::Alone), Due::Alone) => drop(self.calls.remove(at)),
            (polled, due) => panic!("{polled:?}, and {due:?} was due"),
        }
    }

    fn go(&mut self, at: usize) {
        let call = self.calls.remove(at);
        let led = matches!(call.role, Role::Leader(_)) || call.due == Due::Lead;
        if led {
            if let Some(heir) = self.members(call.key).first().copied() {
                self.calls[heir].due = Due::Lead;
            }
        }
        drop(call);
    }

    fn end(&mut self, at: usize, step: &Step) {
        let Role::Leader(_) = self.calls[at].role else { return };
        let waiting = self.waiting(self.calls[at].key);
        let Call { key, role: Role::Leader(leader), wakes, .. } = self.calls.remove(at) else { return };
        assert_eq!(leader.waiting(), waiting);
        let due = match step {
            Step::EndAlone { .. } => match leader.end_alone() {
                Ok(()) => return assert_eq!(waiting, 0),
                Err(leader) => {
                    assert!(waiting > 0);
                    let call =
                        Call { key, role: Role::Leader(leader), due: Due::Nothing, polled: true, wakes };
                    return self.calls.insert(at, call);
                }
            },
            Step::Settle { .. } => {
                self.settled += 1;
                assert_eq!(leader.settle(self.settled), waiting);
                Due::Shared(self.settled)
            }
            _ => {
                assert_eq!(leader.dissolve(), waiting);
                Due::Alone
            }
        };
        for member in self.members(key) {
            self.calls[member].due = due;
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Join { key } => self.join(key),
            Step::Poll { call } if call < self.calls.len() => self.poll(call),
            Step::Drop { call } if call < self.calls.len() => self.go(call),
            Step::Settle { call } | Step::Dissolve { call } | Step::EndAlone { call }
                if call < self.calls.len() =>
            {
                self.end(call, step);
            }
            _ => {}
        }
        assert_eq!(self.flights.keys(), self.keys());
        let waiting = (0..self.calls.len()).filter(|at| self.waits(*at)).count();
        assert_eq!(self.flights.waiting(), waiting);
    }
}

proptest! {
    #[test]
    fn every_waiter_ends_and_one_leads_at_a_time(steps in prop::collection::vec(step(), 1..80)) {
        let mut world = World::default();
        for step in &steps {
            world.take(step);
        }
        // Whoever is left ends: the leaders go, the others see what there is.
        while !world.calls.is_empty() {
            world.go(0);
            assert_eq!(world.flights.keys(), world.keys());
        }
        prop_assert_eq!((world.flights.keys(), world.flights.waiting()), (0, 0));
    }
}
