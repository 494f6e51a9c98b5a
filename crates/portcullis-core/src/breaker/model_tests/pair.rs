//! The real one and the model, step by step.

use proptest::prelude::*;

use super::{
    model::{Call, Model, Seen},
    steps::{Limit, Order, Step, Which},
};
use crate::{
    Outcome, Time,
    breaker::{Admission, Config, Machine, State},
};

/// Both, and the calls that are under way in both.
pub(super) struct Pair {
    machine: Machine,
    model: Model,
    under_way: Vec<(Admission, Call)>,
    now: Time,
    shard: usize,
}

impl Pair {
    pub(super) fn new(config: Config) -> Self {
        let machine = Machine::new(config.clone(), 4).unwrap();
        Self { machine, model: Model::new(config), under_way: Vec::new(), now: Time::ORIGIN, shard: 0 }
    }

    pub(super) fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        // Another shard each time: how calls spread over threads must not matter.
        self.shard += 1;
        match step {
            Step::Admit => self.admit()?,
            Step::AskAndRefuse => self.ask_and_refuse()?,
            Step::Settle(which, outcome) => self.settle(which, outcome),
            Step::Wait(time) => self.now = self.now + time,
            Step::WaitFor(limit, offset) => self.wait_for(limit, offset),
            Step::Jump(nanos) => self.now = Time::from_nanos(nanos),
            Step::ByHand(order) => self.by_hand(order),
        }
        self.compare()
    }

    fn admit(&mut self) -> Result<(), TestCaseError> {
        let now = self.now;
        // Every other time the short way first, as the layer does.
        let admitted = match self.machine.admit_closed() {
            Some(admission) if self.shard % 2 == 0 => Ok(admission),
            _ => self.machine.admit(self.shard, || now),
        };
        match (admitted, self.model.admit(now)) {
            (Ok(real), Ok(call)) => {
                prop_assert_eq!(real.is_probe(), call.probe);
                self.under_way.push((real, call));
            }
            (Err(real), Err(expected)) => prop_assert_eq!(real, expected),
            (real, expected) => prop_assert!(false, "{real:?} instead of {expected:?}"),
        }
        Ok(())
    }

    fn ask_and_refuse(&mut self) -> Result<(), TestCaseError> {
        if self.machine.is_refusing(|| self.now) {
            let expected = self.model.admit(self.now);
            prop_assert_eq!(Some(self.machine.refuse(self.shard, self.now)), expected.err());
        }
        Ok(())
    }

    fn settle(&mut self, which: Which, outcome: Outcome) {
        let count = self.under_way.len();
        if count == 0 {
            return;
        }
        let index = match which {
            Which::Oldest => 0,
            Which::Newest => count - 1,
            Which::Any(index) => index.index(count),
        };
        let (admission, call) = self.under_way.remove(index);
        // Every other time the short way first, as the layer does.
        let short = self.shard % 2 == 0 && outcome == Outcome::Success;
        if !(short && self.machine.succeed(self.shard, &admission)) {
            self.machine.settle(self.shard, admission, outcome, || self.now);
        }
        self.model.settle(call, outcome, self.now);
    }

    fn wait_for(&mut self, limit: Limit, offset: i64) {
        let oldest = self.under_way.first().map_or(self.now, |(_, call)| call.started);
        let limit = match limit {
            Limit::End => self.model.next_end(),
            Limit::Hung => self.model.config.hung_after.map(|age| oldest + age),
        };
        let nanos = limit.unwrap_or(self.now).as_nanos().saturating_add_signed(offset);
        self.now = self.now.max(Time::from_nanos(nanos));
    }

    fn by_hand(&mut self, order: Order) {
        match order {
            Order::Trip => self.machine.trip(self.now),
            Order::Reset => self.machine.reset(self.now),
            Order::Isolate => self.machine.isolate(self.now),
            Order::Release => self.machine.release(self.now),
            Order::Close => self.machine.close(self.now),
        }
        self.model.by_hand(order, self.now);
    }

    /// Everything that can be seen.
    fn compare(&self) -> Result<(), TestCaseError> {
        let (model, now) = (&self.model, self.now);
        let status = self.machine.status(now);
        prop_assert_eq!(self.machine.is_refusing(|| now), model.clone().admit(now).is_err(), "is_refusing");
        prop_assert_eq!((status.state, status.since), (model.state, now.since(model.since)));
        let retry_in = (model.state == State::Open).then(|| model.time.since(now));
        prop_assert_eq!(status.retry_in, retry_in);
        prop_assert_eq!((status.window_failures, status.window_calls), model.window_shown(), "window");
        let memory = model.config.window.max(model.config.consecutive_failures.unwrap_or(1));
        prop_assert_eq!(status.consecutive_failures as usize, model.in_a_row().min(memory as usize));
        let probes = (status.probes_in_flight as usize, status.probe_successes);
        prop_assert_eq!(probes, (model.leases.len(), model.probe_successes), "probes");
        prop_assert_eq!(status.last_failure, model.last_failure);
        let seen = Seen {
            transitions: status.transitions,
            trips: status.trips,
            successes: status.successes,
            failures: status.failures,
            ignored: status.ignored,
            abandoned: status.abandoned,
            refused: status.refused,
            late: status.late,
        };
        prop_assert_eq!(seen, model.seen);
        Ok(())
    }
}
