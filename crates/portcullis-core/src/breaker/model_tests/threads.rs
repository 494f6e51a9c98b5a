//! Real threads, all at once.

use std::{
    sync::{
        Barrier,
        atomic::{
            AtomicU32, AtomicU64,
            Ordering::{Relaxed, SeqCst},
        },
    },
    thread,
    time::Duration,
};

use crate::{
    Failure, FailureKind, Outcome, Time,
    breaker::{Admission, Config, Env, Machine, State},
};

const FAILURE: Outcome = Outcome::Failure(Failure::new(FailureKind::Other));
const THREADS: usize = 40;
const MILLI: u64 = 1_000_000;

/// A clock that somebody else turns on, and dice.
#[derive(Default)]
struct Clock {
    nanos: AtomicU64,
    dice: AtomicU64,
}

impl Clock {
    fn turn(&self, millis: u64) {
        self.nanos.fetch_add(millis * MILLI, SeqCst);
    }
}

impl Env for Clock {
    fn now(&self) -> Time {
        Time::from_nanos(self.nanos.load(SeqCst))
    }

    fn random(&self) -> u64 {
        self.dice.fetch_add(1, Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

fn config(permits: u32) -> Config {
    let millis = Duration::from_millis;
    let times = Config { open_for: millis(5), open_cap: millis(20), lease: millis(10), ..Config::default() };
    Config { consecutive_failures: Some(2), permits, successes: 3, ..times }
}

/// Runs on all threads, which begin together.
fn together<T: Send>(work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(THREADS);
    thread::scope(|scope| {
        let start = |index| {
            let (barrier, work) = (&barrier, &work);
            scope.spawn(move || {
                barrier.wait();
                work(index)
            })
        };
        let threads: Vec<_> = (0..THREADS).map(start).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// A dependency that works: how often must it be asked before the breaker knows?
fn recover(machine: &Machine, clock: &Clock) {
    for _ in 0..100 {
        if machine.is_closed() {
            return;
        }
        match machine.admit(0, clock) {
            Ok(call) => machine.settle(0, call, Outcome::Success, clock),
            Err(_) => clock.turn(5),
        }
    }
    panic!("never left {:?}", machine.status(clock.now()));
}

/// T32: a thousand at once, of whom each round as many go as there are permits, and not one more.
#[test]
fn a_thousand_at_once_take_the_permits_and_no_more() {
    for round in 0..150u32 {
        let permits = 1 + round % 7;
        let (machine, clock) = (Machine::new(config(permits), 4).unwrap(), Clock::default());
        machine.trip(&clock);
        clock.turn(5);
        let ask = |index| (0..25).filter_map(|_| machine.admit(index, &clock).ok()).collect::<Vec<_>>();
        let probes: Vec<Admission> = together(ask).into_iter().flatten().collect();
        assert_eq!((probes.len(), machine.state()), (permits as usize, State::HalfOpen));
        let status = machine.status(clock.now());
        assert_eq!((status.refused, status.probes_in_flight), (1000 - u64::from(permits), permits));

        if round % 2 == 0 {
            // They all hang: their leases end.
            clock.turn(10);
            assert!(machine.admit(0, &clock).is_err());
            assert_eq!(machine.state(), State::Open);
        }
        recover(&machine, &clock);
    }
}

/// How many probes each epoch has under way.
struct Held(Vec<AtomicU32>);

impl Held {
    fn new() -> Self {
        Self((0..=u16::MAX).map(|_| AtomicU32::new(0)).collect())
    }

    fn of(&self, call: &Admission) -> &AtomicU32 {
        &self.0[(call.epoch().tag(0) >> 48) as usize]
    }
}

/// Everything at once: calls that succeed, fail and hang, and time that passes.
#[test]
fn no_storm_takes_more_than_the_permits_or_keeps_it_half_open() {
    for (permits, ramp) in [(1, None), (3, None), (3, Some(Duration::from_millis(5))), (7, None)] {
        let config = Config { ramp, probe_chance: 0.8, ..config(permits) };
        let (machine, clock, held) = (Machine::new(config, 4).unwrap(), Clock::default(), Held::new());
        for _ in 0..6 {
            together(|index| {
                for turn in 0..60 {
                    storm(&machine, &clock, &held, permits, index * 60 + turn);
                }
            });
            recover(&machine, &clock);
        }
        let status = machine.status(clock.now());
        assert!(status.trips > 4, "a storm opens it: {status:?}");
    }
}

/// One call. What it leads to is its number's.
fn storm(machine: &Machine, clock: &Clock, held: &Held, permits: u32, number: usize) {
    if number % 50 == 0 {
        clock.turn(3);
    }
    let Ok(call) = machine.admit(number, clock) else { return };
    if call.is_probe() {
        // Counted after it was given and before it is given back: never more than there are.
        let now = held.of(&call).fetch_add(1, SeqCst) + 1;
        assert!(now <= permits, "{now} probes at a time");
        thread::yield_now();
        if number % 11 == 0 {
            return; // it hangs for ever
        }
        held.of(&call).fetch_sub(1, SeqCst);
    }
    let outcome = match number % 7 {
        0 | 1 => FAILURE,
        2 => Outcome::Abandoned,
        _ => Outcome::Success,
    };
    machine.settle(number, call, outcome, clock);
}

/// Nothing is lost or counted twice, whoever counts.
#[test]
fn every_result_is_counted_once() {
    let quiet = Config { consecutive_failures: None, failure_ratio: None, ..Config::default() };
    let time_window = Some(crate::breaker::TimeRule { failure_ratio: 1.0, ..Default::default() });
    for config in [quiet.clone(), Config { time_window, ..quiet }] {
        let (machine, clock) = (Machine::new(config, 4).unwrap(), Clock::default());
        together(|index| {
            for turn in 0..500 {
                let call = machine.admit(index, &clock).unwrap();
                let outcome = if turn % 5 == 0 { FAILURE } else { Outcome::Success };
                machine.settle(index, call, outcome, &clock);
                if turn % 100 == 0 {
                    clock.turn(300);
                    machine.refresh(&clock);
                }
            }
        });
        let status = machine.status(clock.now());
        assert_eq!((status.successes, status.failures), (400 * THREADS as u64, 100 * THREADS as u64));
        assert_eq!((status.window_calls, status.late), (100, 0));
    }
}
