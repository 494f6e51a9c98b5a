//! The run itself: arrivals, answers and the end of patience, in order of time.

use std::collections::VecDeque;
use std::time::Duration;

use fastrand::Rng;
use portcullis_core::Time;

use super::gate::{Ending, Gate, Pass};
use super::scenario::{CAPACITY, Machine, PATIENCE, Phase, Scenario};
use super::server::{Server, exponential};
use super::trace::Trace;

/// Runs a scenario from its first phase to its last.
pub fn simulate(gate: &mut dyn Gate, scenario: Scenario) -> Trace {
    let mut chance = Rng::with_seed(scenario.seed);
    let mut run = Run {
        gate,
        machine: scenario.machine,
        server: Server::new(scenario.machine.slots, chance.fork()),
        callers: Callers::default(),
        trace: Trace::new(scenario.machine),
    };
    let end = Phase::Back.end();
    let arrivals = Arrivals::new(CAPACITY * scenario.load, chance);
    for arrival in arrivals.take_while(|arrival| *arrival < end) {
        run.until(arrival);
        run.arrive(arrival);
    }
    run.until(end);
    run.trace
}

/// Calls that arrive independently of each other: a Poisson process.
pub struct Arrivals {
    chance: Rng,
    mean: Duration,
    last: Time,
}

impl Arrivals {
    /// So many a second.
    pub fn new(per_second: f64, chance: Rng) -> Self {
        Self { chance, mean: Duration::from_secs_f64(1.0 / per_second), last: Time::ORIGIN }
    }
}

impl Iterator for Arrivals {
    type Item = Time;

    /// When the next one arrives.
    fn next(&mut self) -> Option<Time> {
        self.last = self.last + exponential(&mut self.chance, self.mean);
        Some(self.last)
    }
}

struct Run<'a> {
    gate: &'a mut dyn Gate,
    machine: Machine,
    server: Server,
    callers: Callers,
    trace: Trace,
}

impl Run<'_> {
    /// All that ends before `now`, in order.
    fn until(&mut self, now: Time) {
        loop {
            let done = self.server.next().filter(|done| *done <= now);
            let patience = self.callers.next().filter(|end| *end <= now);
            match (done, patience) {
                // The answer wins a tie.
                (Some(done), patience) if patience.is_none_or(|end| done <= end) => self.finish(done),
                (_, Some(end)) => self.give_up(end),
                (_, None) => return,
            }
        }
    }

    fn arrive(&mut self, now: Time) {
        let Some(pass) = self.gate.admit(now) else {
            self.trace.refused(now, self.gate.limit());
            return;
        };
        let call = self.callers.wait(pass);
        self.server.take(call, now, self.machine.service_at(now));
    }

    fn finish(&mut self, now: Time) {
        let done = self.server.finish(self.machine.service_at(now));
        if let Some(pass) = done.and_then(|call| self.callers.leave(call)) {
            self.gate.settle(pass, Ending::Answered, now);
            self.trace.answered(now, now.since(pass.started), self.gate.limit());
        }
    }

    fn give_up(&mut self, now: Time) {
        if let Some(pass) = self.callers.first() {
            self.gate.settle(pass, Ending::GivenUp, now);
            self.trace.given_up(now, self.gate.limit());
        }
    }
}

/// Who waits for an answer, in order of arrival, which is that of their patience too.
#[derive(Default)]
struct Callers {
    /// The number of the first one.
    first: u64,
    waiting: VecDeque<Option<Pass>>,
}

impl Callers {
    /// The number of the call that waits from now on.
    fn wait(&mut self, pass: Pass) -> u64 {
        self.waiting.push_back(Some(pass));
        self.first + self.waiting.len() as u64 - 1
    }

    /// Takes out who got his answer, unless he is gone.
    fn leave(&mut self, call: u64) -> Option<Pass> {
        let index = usize::try_from(call.checked_sub(self.first)?).ok()?;
        let pass = self.waiting.get_mut(index)?.take();
        while matches!(self.waiting.front(), Some(None)) {
            self.pop();
        }
        pass
    }

    /// When the first of those that wait gives up.
    fn next(&self) -> Option<Time> {
        self.waiting.front().copied().flatten().map(|pass| pass.started + PATIENCE)
    }

    /// Takes out the first.
    fn first(&mut self) -> Option<Pass> {
        let pass = self.pop();
        while matches!(self.waiting.front(), Some(None)) {
            self.pop();
        }
        pass
    }

    fn pop(&mut self) -> Option<Pass> {
        let pass = self.waiting.pop_front()?;
        self.first += 1;
        pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::candidate::candidate;
    use crate::limits::figures::Figures;

    fn run(name: &str, load: f64) -> (Trace, Figures) {
        let scenario = Scenario { machine: Machine::QUICK, load, seed: 1 };
        let trace = simulate(&mut *candidate(name).unwrap().gate().unwrap(), scenario);
        let figures = Figures::of(&trace, scenario);
        (trace, figures)
    }

    /// The share of calls that find all slots taken where none may wait (Erlang B).
    fn erlang_b(offered: f64) -> f64 {
        (1..=Machine::QUICK.slots).fold(1.0, |lost, n| offered * lost / (n as f64 + offered * lost))
    }

    #[test]
    fn as_many_are_lost_without_a_queue_as_erlang_says() {
        for load in [0.8, 1.0, 2.0] {
            let answered = 1.0 - erlang_b(Machine::QUICK.slots as f64 * load);
            let (_, figures) = run("fixed 16", load);
            let measured = figures.of_capacity / load;
            assert!((measured / answered - 1.0).abs() < 0.02, "at {load}: {measured}, not {answered}");
        }
    }

    #[test]
    fn without_a_limit_an_overloaded_server_answers_nobody_in_time() {
        let (_, figures) = run("no limit", 2.0);
        assert_eq!((figures.goodput, figures.p99), (0.0, PATIENCE));
        assert_eq!(figures.back.recovered, None);
    }

    #[test]
    fn a_server_that_was_slow_for_a_while_does_not_recover_by_itself() {
        let (_, figures) = run("no limit", 0.8);
        assert!(figures.goodput > 0.99, "{figures:?}");
        assert_eq!(figures.back.recovered, None);
    }

    #[test]
    fn a_seed_is_a_run() {
        let (one, other) = (run("fixed 16", 1.0), run("fixed 16", 1.0));
        assert_eq!(one.0.buckets, other.0.buckets);
        assert_eq!(one.1, other.1);
    }

    #[test]
    fn every_call_ends_once() {
        let (trace, _) = run("fixed 200", 2.0);
        let ended: u32 = trace.buckets.iter().map(|it| it.refused + it.good + it.given_up).sum();
        let mut chance = Rng::with_seed(1);
        let _ = chance.fork();
        let end = Phase::Back.end();
        let arrived = Arrivals::new(CAPACITY * 2.0, chance).take_while(|arrival| *arrival < end).count();
        let open = arrived as u32 - ended;
        assert!(open <= 200, "{open} of {arrived} did not end");
    }
}
