//! What of a breaker outlives its process, and how another one goes on from there.

use std::time::Duration;

use super::{Env, Machine, State, WindowStatus, log::Log, machine::Guard};
use crate::{
    FailureKind, Time,
    sync::{atomic::Ordering::Relaxed, lock},
};

/// What of a breaker outlives its process.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Memory {
    /// The state.
    pub state: State,
    /// How long an open breaker stays open, or an override lasts; `None` for an override without an end, and in
    /// other states.
    pub left: Option<Duration>,
    /// How many times in a row it opened without a stable close between.
    pub in_a_row: u32,
    /// The window of the last calls; while it is not closed, what it was when it opened.
    pub window: WindowStatus,
    /// The window of the last seconds, if there is one and the breaker is closed.
    pub recent: Option<WindowStatus>,
    /// Failures since the last success.
    pub run: u32,
    /// The kind of the last failure.
    pub last_failure: Option<FailureKind>,
}

impl Memory {
    /// That of a breaker that is in this state and has seen nothing.
    pub fn of(state: State) -> Self {
        Self {
            state,
            left: None,
            in_a_row: 0,
            window: WindowStatus::default(),
            recent: None,
            run: 0,
            last_failure: None,
        }
    }
}

impl Machine {
    /// What outlives the process.
    pub fn memory(&self, now: Time) -> Memory {
        let status = self.status(now);
        let [calls, failures, slow] = [status.window_calls, status.window_failures, status.window_slow];
        Memory {
            state: status.state,
            left: status.retry_in.or(status.override_ends_in),
            in_a_row: status.trips_in_a_row,
            window: WindowStatus { calls, failures, slow },
            recent: status.recent,
            run: status.consecutive_failures,
            last_failure: status.last_failure,
        }
    }

    /// Goes on where another breaker was, if this one is closed and has not failed yet; whether it does. What was open
    /// is open for the time that is left, and where none is, or where it was being probed, the next call probes. An
    /// override is put in place again. A closed one knows how many calls there were, how many failed and how many of
    /// them last, but of the others not which: they are spread evenly. No totals are taken over, and no trip is counted.
    pub fn resume(&self, memory: &Memory, env: &impl Env) -> bool {
        match memory.state {
            State::Closed => self.resume_closed(memory, env),
            State::Open | State::HalfOpen | State::Recovering => self.resume_open(memory, env),
            state => {
                let is_new = self.is_new();
                if is_new {
                    self.override_with(state, memory.left, env);
                }
                is_new
            }
        }
    }

    fn is_new(&self) -> bool {
        self.is_closed() && lock(&self.log).as_ref().is_none_or(|log| log.count == 0)
    }

    fn resume_open(&self, memory: &Memory, env: &impl Env) -> bool {
        let guard = lock(&self.log);
        let (word, now) = (self.word(), env.now());
        if !word.is_closed() || guard.as_ref().is_some_and(|log| log.count > 0) {
            return false;
        }
        let trouble = self.trouble();
        trouble.in_a_row.store(memory.in_a_row.max(1).into(), Relaxed);
        trouble.evidence.clear();
        if let Some(kind) = memory.last_failure {
            trouble.evidence.failed(kind);
        }
        let left = memory.left.filter(|_| memory.state == State::Open).unwrap_or_default();
        // No longer than this breaker would have opened for at the most, whoever wrote that down.
        let config = self.settings.config();
        let left = left.min(config.open_cap.max(config.open_for));
        self.enter(guard, word, State::Open, (now + left).as_millis(), now, env);
        true
    }

    fn resume_closed(&self, memory: &Memory, env: &impl Env) -> bool {
        let mut guard: Guard<'_> = lock(&self.log);
        let (word, now) = (self.word(), env.now());
        if !word.is_closed() || guard.as_ref().is_some_and(|log| log.count > 0) {
            return false;
        }
        if memory.in_a_row > 0 {
            self.trouble().in_a_row.store(memory.in_a_row.into(), Relaxed);
        }
        let log = guard.get_or_insert_with(|| Box::new(Log::new(&self.settings)));
        self.refresh_log(log, word.epoch(), now);
        log.is_of(word.epoch());
        log.seed(memory, now);
        true
    }
}

#[cfg(all(test, not(portcullis_loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        Failure,
        breaker::{Config, TimeRule},
    };

    fn at(millis: u64) -> impl Fn() -> Time {
        move || Time::from_millis(millis)
    }

    fn call(machine: &Machine, fails: bool, millis: u64) -> bool {
        let Ok(admission) = machine.admit(0, &at(millis)) else { return false };
        let outcome = if fails { Failure::new(FailureKind::Timeout).into() } else { crate::Outcome::Success };
        machine.settle(0, admission, outcome, &at(millis));
        true
    }

    fn seen(machine: &Machine) -> (State, u32, u32, u32) {
        let status = machine.status(Time::from_millis(50));
        (status.state, status.window_calls, status.window_failures, status.consecutive_failures)
    }

    proptest! {
        /// Whatever happened, the other one is in the same state, sees the same windows, and goes the same way with what
        /// comes, for as long as nothing leaves the window of which it does not know what it was.
        #[test]
        fn another_one_goes_on_where_it_was(
            calls in prop::collection::vec(any::<bool>(), 0..120),
            run in prop::option::of(1u32..8),
            window in 1u32..200,
            timed in any::<bool>(),
        ) {
            let time_window = timed.then(TimeRule::default);
            let config = Config { consecutive_failures: run, window, minimum_calls: window.min(20), open_jitter: 0.0, time_window, ..Config::default() };
            let one = Machine::new(config.clone(), 2).unwrap();
            calls.iter().for_each(|fails| { call(&one, *fails, 10); });
            let other = Machine::new(config, 2).unwrap();
            prop_assert!(other.resume(&one.memory(Time::from_millis(50)), &at(50)));
            let (a, b) = (seen(&one), seen(&other));
            prop_assert_eq!(a.0, b.0);
            if a.0 == State::Closed {
                prop_assert_eq!(a, b);
                let recent = |machine: &Machine| machine.status(Time::from_millis(50)).recent;
                prop_assert_eq!(recent(&one), recent(&other));
            }
            let leaving = seen(&one).1 + 20 > window;
            for _ in 0..if leaving { 0 } else { 20 } {
                prop_assert_eq!(call(&one, true, 50), call(&other, true, 50));
                prop_assert_eq!(one.state(), other.state());
            }
            prop_assert_eq!(other.status(Time::from_millis(60)).successes, 0, "no totals");
        }

        /// Whatever is read, nothing is longer or more than the settings allow, and nothing hangs or panics.
        #[test]
        fn nonsense_is_held_within_the_settings(
            state in 0usize..8,
            left in prop::option::of(any::<u64>()),
            counts in any::<[u32; 6]>(),
            in_a_row in any::<u32>(),
        ) {
            let window = WindowStatus { calls: counts[0], failures: counts[1], slow: counts[2] };
            let recent = Some(WindowStatus { calls: counts[3], failures: counts[4], slow: counts[5] });
            let memory = Memory {
                left: left.map(Duration::from_nanos), window, recent, in_a_row, run: counts[0],
                ..Memory::of(State::ALL[state])
            };
            let slow_calls = Some(crate::breaker::SlowRule { after: Duration::from_secs(1), ratio: 0.5 });
            let config = Config { time_window: Some(TimeRule::default()), slow_calls, ..Config::default() };
            let machine = Machine::new(config, 1).unwrap();
            machine.resume(&memory, &at(50));
            let status = machine.status(Time::from_millis(50));
            prop_assert!(status.window_failures <= status.window_calls && status.window_calls <= 100);
            prop_assert!(status.retry_in.unwrap_or_default() <= Config::default().open_cap);
            call(&machine, true, 60);
        }
    }

    #[test]
    fn what_was_being_probed_is_probed_by_the_next_call() {
        for state in [State::HalfOpen, State::Recovering, State::Open] {
            let machine = Machine::new(Config::default(), 1).unwrap();
            assert!(machine.resume(&Memory { in_a_row: 3, ..Memory::of(state) }, &at(50)));
            assert_eq!(machine.state(), State::Open);
            assert!(machine.admit(0, &at(50)).is_ok());
            let status = machine.status(Time::from_millis(50));
            assert_eq!((status.state, status.trips, status.trips_in_a_row), (State::HalfOpen, 0, 3));
        }
    }

    #[test]
    fn who_has_seen_something_is_left_alone() {
        let machine = Machine::new(Config::default(), 1).unwrap();
        call(&machine, true, 10);
        for state in State::ALL {
            assert!(!machine.resume(&Memory::of(state), &at(50)), "{state}");
        }
        assert_eq!(seen(&machine), (State::Closed, 1, 1, 1));
    }
}
