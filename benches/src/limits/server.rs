//! The server: some slots, and a queue without bound before them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use fastrand::Rng;
use portcullis_core::Time;

/// A server that works on a few calls at once and keeps the others in order of arrival.
pub struct Server {
    slots: usize,
    /// When each call in a slot is done, the earliest first.
    busy: BinaryHeap<Reverse<(Time, u64)>>,
    queue: VecDeque<(Time, u64)>,
    chance: Rng,
    waited: Duration,
    begun: u64,
}

impl Server {
    /// An idle one with so many slots, whose service times come by `chance`.
    pub fn new(slots: usize, chance: Rng) -> Self {
        Self {
            slots,
            busy: BinaryHeap::with_capacity(slots),
            queue: VecDeque::new(),
            chance,
            waited: Duration::ZERO,
            begun: 0,
        }
    }

    /// Takes a call, into a slot when one is free. `mean` is of the service time now.
    pub fn take(&mut self, call: u64, now: Time, mean: Duration) {
        if self.busy.len() < self.slots {
            self.begin(call, now, now, mean);
        } else {
            self.queue.push_back((now, call));
        }
    }

    /// When the next call is done, if the server has any.
    pub fn next(&self) -> Option<Time> {
        self.busy.peek().map(|Reverse((done, _))| *done)
    }

    /// The call that is done at [`next`](Self::next); the head of the queue gets its slot.
    pub fn finish(&mut self, mean: Duration) -> Option<u64> {
        let Reverse((now, call)) = self.busy.pop()?;
        if let Some((since, next)) = self.queue.pop_front() {
            self.begin(next, since, now, mean);
        }
        Some(call)
    }

    /// The mean time that the calls begun so far were in the queue.
    pub fn mean_wait(&self) -> Duration {
        self.waited.div_f64(self.begun.max(1) as f64)
    }

    fn begin(&mut self, call: u64, since: Time, now: Time, mean: Duration) {
        self.waited += now.since(since);
        self.begun += 1;
        let service = exponential(&mut self.chance, mean);
        self.busy.push(Reverse((now + service, call)));
    }
}

/// A duration that has no memory.
pub(super) fn exponential(chance: &mut Rng, mean: Duration) -> Duration {
    // `f64` draws from [0, 1), so that the logarithm is never of 0.
    mean.mul_f64(-libm::log(1.0 - chance.f64()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::scenario::{CAPACITY, Machine};
    use crate::limits::simulation::Arrivals;

    const SLOTS: usize = Machine::QUICK.slots;
    const SERVICE: Duration = Machine::QUICK.service;

    /// The chance to find all slots taken, with `offered` mean services at once (Erlang C).
    fn erlang_c(offered: f64) -> f64 {
        let slots = SLOTS as f64;
        // Erlang B by its recursion, which no factorial overflows.
        let lost = (1..=SLOTS).fold(1.0, |lost, n| offered * lost / (n as f64 + offered * lost));
        slots * lost / (slots - offered * (1.0 - lost))
    }

    fn mean_wait(load: f64, seed: u64) -> f64 {
        let mut chance = Rng::with_seed(seed);
        let mut server = Server::new(SLOTS, chance.fork());
        let arrivals = Arrivals::new(CAPACITY * load, chance);
        for (now, call) in arrivals.zip(0..2_000_000) {
            while server.next().is_some_and(|done| done <= now) {
                server.finish(SERVICE);
            }
            server.take(call, now, SERVICE);
        }
        server.mean_wait().as_secs_f64()
    }

    #[test]
    fn calls_wait_as_long_as_erlang_says() {
        for load in [0.8, 0.9] {
            let expected = erlang_c(SLOTS as f64 * load) / (CAPACITY * (1.0 - load));
            let measured = mean_wait(load, 1);
            let off = (measured / expected - 1.0).abs();
            assert!(off < 0.05, "at {load}: {measured} s instead of {expected} s");
        }
    }

    #[test]
    fn service_times_are_exponential() {
        let mut chance = Rng::with_seed(1);
        let mut drawn: Vec<_> = (0..1_000_000).map(|_| exponential(&mut chance, SERVICE)).collect();
        drawn.sort_unstable();
        let mean = drawn.iter().sum::<Duration>().as_secs_f64() / drawn.len() as f64;
        let p99 = drawn[drawn.len() / 100 * 99].as_secs_f64();
        assert!((mean / SERVICE.as_secs_f64() - 1.0).abs() < 0.01, "mean {mean}");
        assert!((p99 / Machine::QUICK.unloaded_p99().as_secs_f64() - 1.0).abs() < 0.01, "p99 {p99}");
    }

    #[test]
    fn calls_are_begun_in_order_and_no_more_at_once_than_slots() {
        let mut server = Server::new(SLOTS, Rng::with_seed(1));
        for call in 0..100 {
            server.take(call, Time::ORIGIN, SERVICE);
            assert!(server.busy.len() <= SLOTS);
        }
        let mut next = SLOTS as u64;
        while server.finish(SERVICE).is_some() {
            let newest = server.busy.iter().map(|Reverse((_, call))| *call).max();
            next = (next + 1).min(100);
            assert!(newest.is_none_or(|newest| newest < next));
        }
        assert_eq!(server.begun, 100);
    }
}
