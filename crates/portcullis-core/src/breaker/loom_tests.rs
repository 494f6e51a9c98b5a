//! Every order in which two or three threads can go through a breaker.

mod buckets;
mod hooks;
mod live;
mod manual;
mod probes;
mod recovering;
mod shards;
mod trips;
mod wrong;
mod wrong_windows;

use std::{
    cell::Cell,
    sync::atomic::{AtomicU64 as Plain, Ordering::SeqCst},
    time::Duration,
};

use loom::{sync::Arc, thread};

use super::{Admission, Config, Env, Machine, Refusal, State, Status, TimeRule, Transition};
use crate::{Failure, FailureKind, Outcome, Time};

const FAILURE: Outcome = Outcome::Failure(Failure::new(FailureKind::Other));

fn millis(millis: u64) -> Time {
    Time::from_millis(millis)
}

/// A world in which it is so late, and nothing else happens.
fn at(time: u64) -> impl Fn() -> Time {
    move || millis(time)
}

/// Opens after `failures` in a row, for 1 ms each time.
fn config(failures: u32, permits: u32) -> Config {
    Config {
        consecutive_failures: Some(failures),
        failure_ratio: None,
        window: 4,
        minimum_calls: 1,
        open_for: Duration::from_millis(1),
        open_factor: 1.0,
        open_jitter: 0.0,
        permits,
        successes: 1,
        lease: Duration::from_millis(5),
        ..Config::default()
    }
}

/// Never opens; counts the last 4 ms, each in a bucket.
fn timed() -> Config {
    Config { time_window: Some(over(4)), ..config(1000, 1) }
}

/// The last milliseconds, each in a bucket.
fn over(span: u32) -> TimeRule {
    TimeRule {
        span: Duration::from_millis(span.into()),
        buckets: span,
        failure_ratio: 1.0,
        minimum_calls: 1000,
    }
}

fn machine(config: Config) -> Arc<Machine> {
    let machine = Machine::new(config, 1).unwrap();
    // It is made under a lock of std's, of which loom knows nothing.
    machine.trouble();
    Arc::new(machine)
}

fn breaker(failures: u32, permits: u32) -> Arc<Machine> {
    machine(config(failures, permits))
}

/// Open, and due to probe at 1 ms.
fn tripped(permits: u32) -> Arc<Machine> {
    opened(config(1, permits))
}

fn opened(config: Config) -> Arc<Machine> {
    let machine = machine(config);
    machine.trip(&at(0));
    machine
}

fn admit(machine: &Machine, time: u64) -> Result<Admission, Refusal> {
    machine.admit(0, &at(time))
}

fn settle(machine: &Machine, admission: Admission, outcome: Outcome, time: u64) {
    machine.settle(0, admission, outcome, &at(time));
}

/// A whole call.
fn call(machine: &Machine, outcome: Outcome, time: u64) {
    settle(machine, admit(machine, time).unwrap(), outcome, time);
}

/// Calls of the last seconds.
fn recent_calls(status: &Status) -> u32 {
    status.recent.expect("there is a time window").calls
}

/// What is counted by state or kind is what is counted in all.
#[track_caller]
fn adds_up(status: &Status) {
    let refused: u64 = State::ALL.iter().map(|&state| status.refused_in(state)).sum();
    let bypassed: u64 = State::ALL.iter().map(|&state| status.bypassed_in(state)).sum();
    let failed: u64 = FailureKind::ALL.iter().map(|&kind| status.failures_of(kind)).sum();
    let all = (status.refused, status.bypassed, status.failures);
    assert_eq!((refused, bypassed, failed), all, "refused, bypassed, failed");
}

/// Runs `work` on a thread of its own.
fn apart<T: 'static>(
    machine: &Arc<Machine>,
    work: impl FnOnce(&Machine) -> T + 'static,
) -> thread::JoinHandle<T> {
    let machine = Arc::clone(machine);
    spawn(move || work(&machine))
}

thread_local! {
    /// Whether a new thread goes first.
    static YIELDS: Cell<bool> = const { Cell::new(false) };
}

/// Goes through every order, and that twice: loom finds most of them from one that it has seen, where it
/// remembers only the last access to each word, so that it matters who goes first.
fn model(work: impl Fn() + Send + Sync + Copy + 'static) {
    for yields in [false, true] {
        YIELDS.set(yields);
        loom::model(work);
    }
}

/// Begins a thread of a [`model`].
fn spawn<T: 'static>(work: impl FnOnce() -> T + 'static) -> thread::JoinHandle<T> {
    let thread = thread::spawn(work);
    if YIELDS.get() {
        thread::yield_now();
    }
    thread
}

/// A world that counts what it is told. No primitive of loom's, for it has no part in the orders.
#[derive(Clone, Default)]
struct Witness {
    time: u64,
    told: std::sync::Arc<Plain>,
    opened: std::sync::Arc<Plain>,
}

impl Witness {
    fn at(&self, time: u64) -> Self {
        Self { time, ..self.clone() }
    }

    /// Each transition was told once, and none that did not happen.
    #[track_caller]
    fn saw_all(&self, status: &Status) {
        assert_eq!(self.told.load(SeqCst), status.transitions, "transitions told");
        assert_eq!(self.opened.load(SeqCst), status.trips, "trips told");
        adds_up(status);
    }
}

impl Env for Witness {
    fn now(&self) -> Time {
        millis(self.time)
    }

    fn moved(&self, transition: &Transition) {
        self.told.fetch_add(1, SeqCst);
        if transition.to == State::Open {
            self.opened.fetch_add(1, SeqCst);
        }
    }
}
