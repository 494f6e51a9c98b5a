//! The semaphore against people of several families in front of a counter.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, Mutex},
    task::{Poll, Wake, Waker},
};

use proptest::{prelude::*, sample::Index, strategy::Union, test_runner::FileFailurePersistence};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use super::{Account, Config, Entered, FairSemaphore, Place, Turn};
use crate::{Mode, Reason};

mod fairness;
mod model;
mod stories;

use model::{Answer, KEYS, Model, Step};

fn config() -> impl Strategy<Value = Config> {
    let mode = prop_oneof![
        8 => Just(Mode::Enforce), 1 => Just(Mode::Shadow), 1 => Just(Mode::Disabled),
        1 => Just(Mode::EnforcePercent(50)),
    ];
    let queue = prop_oneof![2 => Just(0u32), 3 => 1u32..8];
    (1u32..12, prop::option::of(1u32..6), queue, mode).prop_map(|(overall, per_key, max_queued, mode)| {
        let per_key = per_key.map(|most| most.min(overall));
        Config { overall, per_key, max_queued, mode, ..Config::default() }
    })
}

/// A key, some more often than others, and how heavy its call is.
fn call() -> impl Strategy<Value = (usize, u32)> {
    let weight = prop_oneof![6 => Just(1u32), 3 => 0u32..6, 1 => Just(u32::MAX)];
    (prop_oneof![2 => Just(0), 3 => 0..KEYS], weight)
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        config().prop_map(Self::new).boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Step> {
        let mut steps = vec![
            (9, call().prop_map(|(key, weight)| Step::Enter(key, weight)).boxed()),
            (3, call().prop_map(|(key, weight)| Step::Take(key, weight)).boxed()),
            (1, call().prop_map(|(key, weight)| Step::Force(key, weight)).boxed()),
            (1, config().prop_map(Step::Change).boxed()),
        ];
        if !state.places.is_empty() {
            steps.push((5, any::<Index>().prop_map(Step::Poll).boxed()));
            steps.push((2, any::<Index>().prop_map(Step::Leave).boxed()));
        }
        if !state.running.is_empty() {
            steps.push((6, any::<Index>().prop_map(Step::End).boxed()));
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
        state.step(step);
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
struct Running(Arc<FairSemaphore>, Arc<Account>, u32);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.release(&self.1, self.2);
    }
}

/// The real one, with what its callers hold.
struct Real {
    semaphore: Arc<FairSemaphore>,
    accounts: Vec<Arc<Account>>,
    running: Vec<Running>,
    places: Vec<(Place, u64, usize)>,
    woken: Arc<Mutex<Vec<u64>>>,
    tickets: u64,
}

impl Real {
    fn run(&mut self, key: usize, taken: u32) -> Answer {
        self.running.push(Running(self.semaphore.clone(), self.accounts[key].clone(), taken));
        Answer::Acquired(taken)
    }

    fn enter(&mut self, key: usize, weight: u32) -> Answer {
        match self.semaphore.enter(&self.accounts[key], weight) {
            Ok(Entered::Acquired(taken)) => self.run(key, taken),
            Ok(Entered::Waiting(place)) => {
                self.tickets += 1;
                self.places.push((place, self.tickets, key));
                Answer::Waits
            }
            Err(reason) => Answer::Refused(reason),
        }
    }

    fn poll(&mut self, at: usize) -> Answer {
        let (place, ticket, key) = &self.places[at];
        let waker: Waker = Arc::new(Bell(*ticket, self.woken.clone())).into();
        match self.semaphore.poll(place, &waker) {
            Poll::Pending => Answer::Pending,
            Poll::Ready(Turn::Granted(taken)) => {
                let key = *key;
                let _fetched = self.places.remove(at);
                self.run(key, taken)
            }
            Poll::Ready(Turn::Displaced(reason)) => {
                let _fetched = self.places.remove(at);
                Answer::Refused(reason)
            }
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

    fn step(&mut self, step: Step) -> Answer {
        match step {
            Step::Enter(key, weight) => return self.enter(key, weight),
            Step::Take(key, weight) => {
                return match self.semaphore.take(&self.accounts[key], weight) {
                    Ok(taken) => self.run(key, taken),
                    Err(reason) => Answer::Refused(reason),
                };
            }
            Step::Poll(at) => return self.poll(at.index(self.places.len())),
            Step::Force(key, weight) => {
                let taken = self.semaphore.force(&self.accounts[key], weight);
                return self.run(key, taken);
            }
            Step::Leave(at) => {
                let (place, ..) = self.places.remove(at.index(self.places.len()));
                self.semaphore.leave(place);
            }
            Step::End(at) => drop(self.running.remove(at.index(self.running.len()))),
            Step::Panic(at) => self.panic(at.index(self.running.len())),
            Step::Change(config) => self.semaphore.update(|_| config.clone()).unwrap(),
        }
        Answer::Nothing
    }
}

impl StateMachineTest for Real {
    type SystemUnderTest = Self;
    type Reference = Model;

    fn init_test(model: &Model) -> Self {
        let semaphore = Arc::new(FairSemaphore::new(model.config.clone()).unwrap());
        let accounts = (0..KEYS).map(|_| Arc::new(semaphore.account())).collect();
        let (running, places) = (Vec::new(), Vec::new());
        Self { semaphore, accounts, running, places, woken: Arc::default(), tickets: 0 }
    }

    fn apply(mut state: Self, model: &Model, step: Step) -> Self {
        assert_eq!(state.step(step), model.last);
        state
    }

    fn check_invariants(state: &Self, model: &Model) {
        let status = state.semaphore.status();
        assert_eq!((status.in_flight, status.queued as usize), (model.used(), model.line.len()));
        assert_eq!(status.holding, model.holding());
        for (key, account) in state.accounts.iter().enumerate() {
            let counts = (account.in_flight(), account.queued() as usize);
            assert_eq!(counts, (model.held(key), model.queued(key)), "of key {key}");
            assert_eq!(u64::from(state.semaphore.limit(account)), model.limit(key), "of key {key}");
        }
        assert_eq!(*state.woken.lock().unwrap(), model.woken, "woken, in order");
        assert_eq!(state.semaphore.is_refusing(), model.refuses_all(), "is_refusing");
        assert!(model.who_goes().is_none(), "whose turn it is waits for nothing");
    }

    /// Everybody gives up or ends: every permit is there again.
    fn teardown(mut state: Self, model: Model) {
        for (place, ..) in state.places.drain(..) {
            state.semaphore.leave(place);
        }
        state.running.clear();
        let semaphore = state.semaphore;
        let status = semaphore.status();
        assert_eq!((status.in_flight, status.queued, status.holding), (0, 0, 0));
        assert!(state.accounts.iter().all(|account| Arc::strong_count(account) == 1), "nothing is kept");
        let all = Config { max_queued: 1, per_key: None, mode: Mode::Enforce, ..model.config };
        semaphore.update(|_| all.clone()).unwrap();
        let permits = (0..=all.overall).filter(|_| semaphore.take(&state.accounts[0], 1).is_ok()).count();
        assert_eq!(permits, all.overall as usize);
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
