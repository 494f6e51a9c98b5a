//! A server with slots and a queue, and callers that offer it more than it can do, in virtual time.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    time::Duration,
};

use crate::{
    Time,
    adaptive::{Config, Limiter, Sample},
};

/// A number between 0 and 1, the same every time.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn draw(&mut self) -> f64 {
        // xorshift64*, Vigna 2016.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// Of this mean.
    pub(super) fn exponential(&mut self, mean: Duration) -> Duration {
        mean.mul_f64(-self.draw().ln())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrival,
    Done(Call),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Call {
    started: Time,
    in_flight: u32,
}

/// What the server is like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Server {
    pub(super) slots: usize,
    /// The mean of its exponential times.
    pub(super) service: Duration,
    /// Refuses at once what is more than this in it.
    pub(super) refuses_above: usize,
}

pub(super) struct World {
    pub(super) limiter: Limiter,
    pub(super) server: Server,
    /// Between two calls, on average.
    pub(super) every: Duration,
    pub(super) now: Time,
    chance: Chance,
    events: BinaryHeap<Reverse<(Time, u64, Event)>>,
    number: u64,
    queue: VecDeque<Call>,
    busy: usize,
}

/// What came of a while.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) answered: usize,
    pub(super) refused: usize,
    latencies: Vec<Duration>,
    pub(super) limits: Vec<u32>,
}

impl Report {
    pub(super) fn quantile(&self, share: f64) -> Duration {
        let mut sorted = self.latencies.clone();
        sorted.sort();
        sorted.get((share * sorted.len() as f64) as usize).copied().unwrap_or_default()
    }
}

impl World {
    /// With so many times the calls that the server can do.
    pub(super) fn new(config: Config, server: Server, load: f64, seed: u64) -> Self {
        let limiter = Limiter::new(config, 1).unwrap();
        let mut world = Self {
            limiter,
            server,
            every: Duration::ZERO,
            now: Time::ORIGIN,
            chance: Chance::new(seed),
            events: BinaryHeap::new(),
            number: 0,
            queue: VecDeque::new(),
            busy: 0,
        };
        world.offer(load);
        world.push(Duration::ZERO, Event::Arrival);
        world
    }

    pub(super) fn offer(&mut self, load: f64) {
        self.every = self.server.service.div_f64(load * self.server.slots as f64);
    }

    /// Calls that the server can answer in a time.
    pub(super) fn capacity(&self, time: Duration) -> f64 {
        self.server.slots as f64 * time.as_secs_f64() / self.server.service.as_secs_f64()
    }

    fn push(&mut self, after: Duration, event: Event) {
        self.number += 1;
        self.events.push(Reverse((self.now + after, self.number, event)));
    }

    pub(super) fn run(&mut self, time: Duration) -> Report {
        let (mut report, end) = (Report::default(), self.now + time);
        while self.events.peek().is_some_and(|next| next.0.0 <= end) {
            let Some(Reverse((at, _, event))) = self.events.pop() else { break };
            self.now = at;
            match event {
                Event::Arrival => self.arrive(&mut report),
                Event::Done(call) => self.finish(call, &mut report),
            }
            report.limits.push(self.limiter.limit());
        }
        self.now = end;
        report
    }

    fn arrive(&mut self, report: &mut Report) {
        let next = self.chance.exponential(self.every);
        self.push(next, Event::Arrival);
        let Some(in_flight) = self.limiter.try_acquire() else {
            report.refused += 1;
            return;
        };
        let call = Call { started: self.now, in_flight };
        if self.queue.len() + self.busy >= self.server.refuses_above {
            self.limiter.release(0, call.started, in_flight, Sample::Congested, self.now);
            return;
        }
        self.queue.push_back(call);
        self.serve();
    }

    fn finish(&mut self, call: Call, report: &mut Report) {
        self.busy -= 1;
        self.limiter.release(0, call.started, call.in_flight, Sample::Success, self.now);
        report.answered += 1;
        report.latencies.push(self.now.since(call.started));
        self.serve();
    }

    fn serve(&mut self) {
        while self.busy < self.server.slots {
            let Some(call) = self.queue.pop_front() else { return };
            self.busy += 1;
            let took = self.chance.exponential(self.server.service);
            self.push(took, Event::Done(call));
        }
    }
}
