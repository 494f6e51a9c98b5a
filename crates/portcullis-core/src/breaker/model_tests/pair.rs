//! The real ones and the model, step by step.

use std::{marker::PhantomData, sync::Arc};

use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};

use super::{
    group::{Answer, Group, SHARDS, Said},
    steps::{Act, Order, Step},
    world::World,
};
use crate::{
    Name, Outcome, Reason,
    breaker::{Admission, Config, Env, Machine, Refusal, Refusing, Settings},
};

/// Which histories are drawn.
pub(super) trait Histories: 'static {
    fn start() -> BoxedStrategy<Group>;
    fn step() -> BoxedStrategy<Step>;
}

/// Follows such histories with both.
pub(super) struct Follow<H>(PhantomData<H>);

impl<H: Histories> ReferenceStateMachine for Follow<H> {
    type State = Group;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Group> {
        H::start()
    }

    fn transitions(_: &Group) -> BoxedStrategy<Step> {
        H::step()
    }

    fn apply(group: Group, step: &Step) -> Group {
        group.step(step)
    }
}

impl<H: Histories> StateMachineTest for Follow<H> {
    type SystemUnderTest = Real;
    type Reference = Self;

    fn init_test(group: &Group) -> Real {
        Real::new(group)
    }

    fn apply(mut real: Real, group: &Group, step: Step) -> Real {
        assert_eq!(real.step(&step, &group.world(&step)), group.answer, "the machine's answer, the model's");
        real
    }

    fn check_invariants(real: &Real, group: &Group) {
        for (machine, model) in real.machines.iter().zip(&group.machines) {
            assert_eq!(machine.status(group.now), model.status(&group.live, group.now), "status");
        }
    }
}

/// The real ones, and the calls that are under way.
pub(super) struct Real {
    settings: Arc<Settings>,
    pub(super) machines: Vec<Machine>,
    under_way: Vec<(usize, Admission)>,
}

impl Real {
    pub(super) fn new(group: &Group) -> Self {
        let settings = Arc::new(Settings::new(group.live.config.clone()).unwrap());
        let machine = |&shards: &usize| match shards {
            1 => Machine::small(settings.clone()),
            _ => Machine::with_settings(settings.clone(), shards),
        };
        let machines = SHARDS[..group.machines.len()].iter().map(machine);
        let machines = machines.map(|machine| machine.closed_since(group.now)).collect();
        Self { settings, machines, under_way: Vec::new() }
    }

    pub(super) fn step(&mut self, step: &Step, world: &World) -> Answer {
        let said = self.act(step, world);
        let machine = &self.machines[step.machine.index(self.machines.len())];
        let refusing = step.act.asks_then().then(|| {
            let again = world.again();
            let refusing = machine.is_refusing(&again);
            again.told().iter().for_each(|transition| world.moved(transition));
            refusing
        });
        Answer { said, refusing, told: world.told() }
    }

    fn act(&mut self, step: &Step, world: &World) -> Said {
        let machine = &self.machines[step.machine.index(self.machines.len())];
        match &step.act {
            Act::Admit => return self.admit(step, world),
            Act::AskAndRefuse => {
                let refusing = machine.refusing(world);
                let refusal = refusing.map(|refusing| self.refuse(step, refusing));
                return refusal.map_or(Said::Nothing, Said::Refused);
            }
            Act::Tick => return Said::Next(machine.tick(world)),
            Act::Settle(which, outcome) if !self.under_way.is_empty() => {
                let (index, admission) = self.under_way.remove(which.of(self.under_way.len()));
                self.settle(index, admission, *outcome, step, world);
            }
            Act::Order(order) => match *order {
                Order::Trip => machine.trip(world),
                Order::Reset => machine.reset(world),
                Order::Close => machine.close(world),
                Order::Release => machine.release(world),
                Order::Override(state, time) => machine.override_with(state, time, world),
            },
            Act::SetMode(mode) => machine.set_mode(*mode, world).unwrap(),
            Act::Reconfigure(part, other) => {
                machine.reconfigure(part.replaced(self.config(), other), world).unwrap();
            }
            Act::Replace(part, other) => self.settings.replace(part.replaced(self.config(), other)).unwrap(),
            Act::Refresh => machine.refresh(world),
            Act::FollowMode(before) => machine.follow_mode(*before, world),
            _ => {}
        }
        Said::Nothing
    }

    fn config(&self) -> Config {
        (*self.settings.config()).clone()
    }

    fn admit(&mut self, step: &Step, world: &World) -> Said {
        let index = step.machine.index(self.machines.len());
        let machine = &self.machines[index];
        let admitted = match machine.admit_closed() {
            Some(admission) if step.short => Ok(admission),
            _ => machine.admit(step.shard, world),
        };
        match admitted {
            Ok(admission) => {
                let (probe, bypass) = (admission.is_probe(), admission.is_bypass());
                self.under_way.push((index, admission));
                Said::Admitted { probe, bypass }
            }
            Err(refusal) => Said::Refused(refusal),
        }
    }

    fn refuse(&self, step: &Step, refusing: Refusing) -> Refusal {
        let index = step.machine.index(self.machines.len());
        let machine = &self.machines[index];
        // Who shares one count has no tally.
        if !step.short || SHARDS[index] == 1 {
            return machine.refuse(step.shard, refusing);
        }
        let rejection = machine.reject(&Name::from("b"), &machine.tally(step.shard), refusing, None::<fn(_)>);
        let Reason::Breaker(evidence) = rejection.reason() else { panic!("{rejection}") };
        Refusal { evidence, retry_after: rejection.retry_after() }
    }

    fn settle(&self, index: usize, admission: Admission, outcome: Outcome, step: &Step, world: &World) {
        let machine = &self.machines[index];
        let short = step.short && outcome == Outcome::Success;
        if !(short && machine.tally(step.shard).succeed(&admission, world)) {
            machine.settle(step.shard, admission, outcome, world);
        }
    }
}
