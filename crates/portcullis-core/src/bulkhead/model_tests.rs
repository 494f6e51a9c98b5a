//! The semaphore against people in front of a counter.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, Mutex},
    task::{Poll, Wake, Waker},
    time::Duration,
};

use proptest::{prelude::*, sample::Index, strategy::Union, test_runner::FileFailurePersistence};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use super::{Codel, Config, Demand, Enqueued, Full, Order, Place, Semaphore, Turn};
use crate::{Mode, Priority, Time};

mod stories;

fn never() -> Time {
    panic!("nobody has to know how late it is")
}

#[derive(Clone, Debug)]
enum Step {
    /// A call comes: it takes its permits, or waits.
    Arrive(Demand),
    /// One that waits looks whether its turn has come.
    Poll(Index),
    /// One that waits gives up.
    Leave(Index),
    /// One that runs ends.
    End(Index),
    /// One that runs panics.
    Panic(Index),
    /// One that should be refused passes.
    Force(Demand),
    Reconfigure(Config),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Acquired(u32),
    Waits,
    Full(Full),
    Pending,
    Nothing,
}

#[derive(Clone, Copy, Debug)]
struct Person {
    ticket: u64,
    demand: Demand,
    /// Only who has asked once is woken.
    asked: bool,
}

/// What the documentation says.
#[derive(Clone, Debug)]
struct Model {
    config: Config,
    /// What those hold who run, in the order in which they came to.
    running: Vec<u32>,
    /// In order of arrival.
    line: Vec<Person>,
    /// Whose turn has come, and who does not know; and all who have a place, as the real one has them.
    called: BTreeMap<u64, u32>,
    places: Vec<u64>,
    woken: Vec<u64>,
    tickets: u64,
    last: Answer,
}

impl Model {
    fn new(config: Config) -> Self {
        let (running, line, places, woken) = (vec![], vec![], vec![], vec![]);
        let called = BTreeMap::new();
        Self { config, running, line, called, places, woken, tickets: 0, last: Answer::Nothing }
    }

    fn used(&self) -> i64 {
        self.running.iter().chain(self.called.values()).map(|taken| i64::from(*taken)).sum()
    }

    fn free(&self) -> i64 {
        i64::from(self.config.max_in_flight) - self.used()
    }

    /// Permits a call takes, and those it must leave.
    fn needs(&self, demand: Demand) -> (u32, u32) {
        let higher = Priority::ALL.into_iter().filter(|class| *class > demand.priority);
        let kept: u32 = higher.map(|class| self.config.reserved[class as usize]).sum();
        (demand.weight.max(1).min(self.config.max_in_flight - kept), kept)
    }

    fn fits(&self, demand: Demand) -> bool {
        let (take, kept) = self.needs(demand);
        self.config.mode == Mode::Shadow
            || self.config.mode == Mode::Disabled
            || self.free() >= i64::from(take + kept)
    }

    fn takes(&self, demand: Demand) -> u32 {
        if self.config.mode == Mode::Disabled { 0 } else { self.needs(demand).0 }
    }

    fn next(&self) -> Option<usize> {
        let arrivals = 0..self.line.len();
        match self.config.order {
            Order::Fifo => arrivals.min(),
            Order::Lifo => arrivals.max(),
            Order::Priority => {
                arrivals.min_by_key(|at| (std::cmp::Reverse(self.line[*at].demand.priority), *at))
            }
        }
    }

    fn call_those_next(&mut self) {
        while let Some(at) = self.next().filter(|at| self.fits(self.line[*at].demand)) {
            let person = self.line.remove(at);
            self.called.insert(person.ticket, self.takes(person.demand));
            if person.asked {
                self.woken.push(person.ticket);
            }
        }
    }

    fn full(&self) -> Answer {
        Answer::Full(Full { queued: self.line.len() as u32, free: self.free().max(0) as u32 })
    }

    fn arrive(&mut self, demand: Demand) -> Answer {
        let (take, kept) = self.needs(demand);
        let missing = i64::from(take + kept) - self.free();
        if self.config.mode == Mode::Shadow && missing > i64::from(self.config.max_queued) {
            return self.full();
        }
        let full = self.line.len() >= self.config.max_queued as usize;
        let ticket = self.tickets + 1;
        self.line.push(Person { ticket, demand, asked: false });
        let is_next = self.next() == Some(self.line.len() - 1);
        if is_next && self.fits(demand) {
            self.line.pop();
            let taken = self.takes(demand);
            self.running.push(taken);
            return Answer::Acquired(taken);
        }
        if full {
            self.line.pop();
            return self.full();
        }
        self.tickets = ticket;
        self.places.push(ticket);
        Answer::Waits
    }

    fn poll(&mut self, at: usize) -> Answer {
        let ticket = self.places[at];
        if let Some(person) = self.line.iter_mut().find(|person| person.ticket == ticket) {
            person.asked = true;
            return Answer::Pending;
        }
        self.places.remove(at);
        let taken = self.called.remove(&ticket).unwrap();
        self.running.push(taken);
        Answer::Acquired(taken)
    }

    fn leave(&mut self, at: usize) {
        let ticket = self.places.remove(at);
        self.line.retain(|person| person.ticket != ticket);
        self.called.remove(&ticket);
    }

    fn apply(&mut self, step: &Step) {
        self.last = match step {
            Step::Arrive(demand) => self.arrive(*demand),
            Step::Poll(at) => self.poll(at.index(self.places.len())),
            Step::Force(demand) => {
                let taken = self.takes(*demand);
                self.running.push(taken);
                Answer::Acquired(taken)
            }
            Step::Leave(at) => {
                self.leave(at.index(self.places.len()));
                Answer::Nothing
            }
            Step::End(at) | Step::Panic(at) => {
                self.running.remove(at.index(self.running.len()));
                Answer::Nothing
            }
            Step::Reconfigure(config) => {
                self.config = config.clone();
                Answer::Nothing
            }
        };
        self.call_those_next();
    }
}

fn config() -> impl Strategy<Value = Config> {
    let order = prop_oneof![Just(Order::Fifo), Just(Order::Lifo), Just(Order::Priority)];
    let mode = prop_oneof![
        8 => Just(Mode::Enforce), 1 => Just(Mode::Shadow), 1 => Just(Mode::Disabled),
        1 => Just(Mode::EnforcePercent(50)),
    ];
    let reserved = prop_oneof![3 => Just([0; 5]), 1 => [0..1u32, 0..2u32, 0..2u32, 0..2u32, 0..2u32]];
    (1u32..8, 0u32..6, order, mode, reserved).prop_map(
        |(max_in_flight, max_queued, order, mode, reserved)| {
            let max_in_flight = max_in_flight.max(reserved.iter().sum::<u32>() + 1);
            Config { max_in_flight, max_queued, order, mode, reserved, ..Config::default() }
        },
    )
}

fn demand() -> impl Strategy<Value = Demand> {
    let weight = prop_oneof![4 => Just(1u32), 3 => 0u32..10, 1 => Just(u32::MAX)];
    let priority = prop_oneof![2 => Just(Priority::Normal), 3 => prop::sample::select(&Priority::ALL)];
    (weight, priority).prop_map(|(weight, priority)| Demand { weight, priority })
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        config().prop_map(Self::new).boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Step> {
        let mut steps = vec![
            (8, demand().prop_map(Step::Arrive).boxed()),
            (1, demand().prop_map(Step::Force).boxed()),
            (1, config().prop_map(Step::Reconfigure).boxed()),
        ];
        if !state.places.is_empty() {
            steps.push((5, any::<Index>().prop_map(Step::Poll).boxed()));
            steps.push((2, any::<Index>().prop_map(Step::Leave).boxed()));
        }
        if !state.running.is_empty() {
            steps.push((5, any::<Index>().prop_map(Step::End).boxed()));
            steps.push((1, any::<Index>().prop_map(Step::Panic).boxed()));
        }
        Union::new_weighted(steps).boxed()
    }

    fn preconditions(state: &Self, step: &Step) -> bool {
        match step {
            Step::Poll(_) | Step::Leave(_) => !state.places.is_empty(),
            Step::End(_) | Step::Panic(_) => !state.running.is_empty(),
            _ => true,
        }
    }

    fn apply(mut state: Self, step: &Step) -> Self {
        Self::apply(&mut state, step);
        state
    }
}

/// Writes its number down when it is woken.
struct Bell(u64, Arc<Mutex<Vec<u64>>>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0);
    }
}

/// Gives back what it holds, however it ends.
struct Running(Arc<Semaphore>, u32);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.release(self.1, never);
    }
}

/// The real one, with what its callers hold.
struct Real {
    semaphore: Arc<Semaphore>,
    running: Vec<Running>,
    places: Vec<(Place, u64)>,
    woken: Arc<Mutex<Vec<u64>>>,
    tickets: u64,
}

impl Real {
    fn run(&mut self, taken: u32) -> Answer {
        self.running.push(Running(Arc::clone(&self.semaphore), taken));
        Answer::Acquired(taken)
    }

    fn arrive(&mut self, demand: Demand) -> Answer {
        // As every caller does: the short way first, then the long one.
        if demand == Demand::ONE && self.semaphore.try_acquire_one() {
            return self.run(1);
        }
        if let Some(taken) = self.semaphore.try_acquire(demand) {
            return self.run(taken);
        }
        match self.semaphore.enqueue(demand, never) {
            Ok(Enqueued::Acquired(taken)) => self.run(taken),
            Ok(Enqueued::Waiting(place)) => {
                self.tickets += 1;
                self.places.push((place, self.tickets));
                Answer::Waits
            }
            Err(full) => Answer::Full(full),
        }
    }

    fn poll(&mut self, at: usize) -> Answer {
        let (place, ticket) = &self.places[at];
        let waker: Waker = Arc::new(Bell(*ticket, Arc::clone(&self.woken))).into();
        match self.semaphore.poll(place, &waker) {
            Poll::Pending => Answer::Pending,
            Poll::Ready(Turn::Granted(taken)) => {
                let _fetched = self.places.remove(at);
                self.run(taken)
            }
            Poll::Ready(turn) => panic!("{turn:?}"),
        }
    }

    fn panic(&mut self, at: usize) {
        let running = self.running.remove(at);
        let panicking = AssertUnwindSafe(move || {
            let _held = running;
            resume_unwind(Box::new(()));
        });
        assert!(catch_unwind(panicking).is_err());
    }

    fn apply(&mut self, step: Step) -> Answer {
        match step {
            Step::Arrive(demand) => return self.arrive(demand),
            Step::Poll(at) => return self.poll(at.index(self.places.len())),
            Step::Force(demand) => return self.run(self.semaphore.force(demand)),
            Step::Leave(at) => {
                let (place, _) = self.places.remove(at.index(self.places.len()));
                self.semaphore.leave(place, never);
            }
            Step::End(at) => drop(self.running.remove(at.index(self.running.len()))),
            Step::Panic(at) => self.panic(at.index(self.running.len())),
            Step::Reconfigure(config) => self.semaphore.update(|_| config.clone(), never).unwrap(),
        }
        Answer::Nothing
    }
}

impl StateMachineTest for Real {
    type SystemUnderTest = Self;
    type Reference = Model;

    fn init_test(model: &Model) -> Self {
        let semaphore = Arc::new(Semaphore::new(model.config.clone()).unwrap());
        let (running, places) = (Vec::new(), Vec::new());
        Self { semaphore, running, places, woken: Arc::default(), tickets: 0 }
    }

    fn apply(mut state: Self, model: &Model, step: Step) -> Self {
        assert_eq!(Self::apply(&mut state, step), model.last);
        state
    }

    fn check_invariants(state: &Self, model: &Model) {
        let semaphore = &state.semaphore;
        assert_eq!(i64::from(semaphore.in_flight()), model.used(), "in flight");
        assert_eq!(i64::from(semaphore.available()), model.free().max(0), "available");
        assert_eq!(semaphore.queued() as usize, model.line.len(), "queued");
        assert_eq!(*state.woken.lock().unwrap(), model.woken, "woken, in order");
        let hopeless = model.line.len() >= model.config.max_queued as usize && model.free() <= 0;
        assert_eq!(semaphore.is_refusing(), hopeless && model.config.mode == Mode::Enforce, "is_refusing");
        let idle = model.next().is_some_and(|next| model.fits(model.line[next].demand));
        assert!(!idle, "whose turn it is waits for nothing");
    }

    /// Everybody gives up or ends: every permit is there again.
    fn teardown(mut state: Self, model: Model) {
        for (place, _) in state.places.drain(..) {
            state.semaphore.leave(place, never);
        }
        state.running.clear();
        let semaphore = state.semaphore;
        assert_eq!((semaphore.in_flight(), semaphore.queued()), (0, 0));
        semaphore
            .update(|config| Config { reserved: [0; 5], mode: Mode::Enforce, ..config.clone() }, never)
            .unwrap();
        let limit = model.config.max_in_flight;
        let permits = (0..=limit).filter(|_| semaphore.try_acquire_one()).count();
        assert_eq!(permits, limit as usize);
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_permit_goes_where_the_model_says(sequential 1..200 => Real);
}
