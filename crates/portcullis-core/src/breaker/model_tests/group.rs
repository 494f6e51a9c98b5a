//! The model of several breakers that share their settings, and of the calls that are under way.

use proptest::{prelude::*, strategy::BoxedStrategy};

use super::{
    configs::{Scale, config},
    model::{Call, Live, Model, Scene, end_of},
    steps::{Act, Limit, Order, Step},
    world::World,
};
use crate::{
    Time,
    breaker::{Config, Refusal, Transition},
};

/// As many shards as each breaker has, by its number.
pub(super) const SHARDS: [usize; 3] = [4, 1, 2];

#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) live: Live,
    pub(super) machines: Vec<Model>,
    under_way: Vec<(usize, Call)>,
    pub(super) now: Time,
    /// The step of the coarse clock, in nanoseconds.
    pub(super) grain: u64,
    pub(super) answer: Answer,
}

/// What a step led to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) said: Said,
    /// Whether it refuses afterwards. Not asked when time has passed, for asking may change the state.
    pub(super) refusing: Option<bool>,
    pub(super) told: Vec<Transition>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    Nothing,
    Admitted { probe: bool, bypass: bool },
    Refused(Refusal),
    Next(Option<Time>),
}

impl Group {
    pub(super) fn new(config: Config, machines: usize, born: Time, grain: u64) -> Self {
        let live = Live { config, version: 0 };
        let machines = SHARDS[..machines].iter().map(|&shards| Model::new(&live, born, shards)).collect();
        let answer = Answer { said: Said::Nothing, refusing: None, told: Vec::new() };
        Self { live, machines, under_way: Vec::new(), now: born, grain, answer }
    }

    /// As many as `machines` with any configuration of this `scale`.
    pub(super) fn any(
        scale: &Scale,
        machines: usize,
        changed: impl Fn(Config) -> Config + 'static,
    ) -> BoxedStrategy<Self> {
        let born = prop_oneof![Just(Time::ORIGIN), (0u64..30_000_000).prop_map(Time::from_nanos)];
        let grain = prop_oneof![Just(1), 1u64..=20_000_000];
        (config(scale), born, grain)
            .prop_map(move |(config, born, grain)| Self::new(changed(config), machines, born, grain))
            .boxed()
    }

    pub(super) fn world(&self, step: &Step) -> World {
        World::new(self.now, self.grain, step.luck)
    }

    pub(super) fn step(mut self, step: &Step) -> Self {
        self.pass_time(step);
        let world = self.world(step);
        let said = self.act(step, &world);
        let refusing = step.act.asks_then().then(|| {
            let again = world.again();
            let refusing = self.with(step, &again, |model, scene| model.refusing(scene).is_some());
            again.told().iter().for_each(|transition| crate::breaker::Env::moved(&world, transition));
            refusing
        });
        self.answer = Answer { said, refusing, told: world.told() };
        self
    }

    fn with<T>(&mut self, step: &Step, world: &World, f: impl FnOnce(&mut Model, Scene<'_>) -> T) -> T {
        let index = step.machine.index(self.machines.len());
        f(&mut self.machines[index], Scene { live: &self.live, world, shard: step.shard })
    }

    fn act(&mut self, step: &Step, world: &World) -> Said {
        match &step.act {
            Act::Admit => return self.admit(step, world),
            Act::AskAndRefuse => {
                let refusal = self.with(step, world, |model, scene| model.refuse(scene));
                return refusal.map_or(Said::Nothing, Said::Refused);
            }
            Act::Tick => return Said::Next(self.with(step, world, |model, scene| model.tick(scene))),
            Act::Settle(which, outcome) if !self.under_way.is_empty() => {
                let (index, call) = self.under_way.remove(which.of(self.under_way.len()));
                let scene = Scene { live: &self.live, world, shard: step.shard };
                self.machines[index].settle(call, *outcome, scene);
            }
            Act::Order(order) => self.with(step, world, |model, scene| match *order {
                Order::Trip => model.trip(scene),
                Order::Reset => model.reset(scene),
                Order::Close => model.close(scene),
                Order::Release => model.release(scene),
                Order::Override(state, time) => model.override_with(state, time, scene),
            }),
            Act::SetMode(mode) => {
                let before = self.replace(|config| config.mode = *mode);
                self.with(step, world, |model, scene| model.follow_mode(before.mode, scene));
            }
            Act::Reconfigure(part, other) => {
                let before = self.replace(|config| *config = part.replaced(config.clone(), other));
                self.with(step, world, |model, scene| {
                    model.refresh(scene);
                    model.follow_mode(before.mode, scene);
                });
            }
            Act::Replace(part, other) => {
                self.replace(|config| *config = part.replaced(config.clone(), other));
            }
            Act::Refresh => self.with(step, world, |model, scene| model.refresh(scene)),
            Act::FollowMode(before) => {
                self.with(step, world, |model, scene| model.follow_mode(*before, scene));
            }
            Act::Settle(..) | Act::Wait(_) | Act::WaitFor(..) | Act::Jump(_) | Act::Leap(_) => {}
        }
        Said::Nothing
    }

    fn admit(&mut self, step: &Step, world: &World) -> Said {
        let index = step.machine.index(self.machines.len());
        match self.with(step, world, |model, scene| model.admit(scene)) {
            Ok(call) => {
                self.under_way.push((index, call));
                Said::Admitted { probe: call.is_probe(), bypass: call.is_bypass() }
            }
            Err(refusal) => Said::Refused(refusal),
        }
    }

    /// Changes the settings, and returns what they were.
    fn replace(&mut self, change: impl FnOnce(&mut Config)) -> Config {
        let before = self.live.config.clone();
        change(&mut self.live.config);
        self.live.version += 1;
        before
    }

    pub(super) fn pass_time(&mut self, step: &Step) {
        let ahead = |time: std::time::Duration| self.now + time;
        self.now = match step.act {
            Act::Wait(time) => ahead(time),
            Act::WaitFor(limit, offset) => {
                let limit = self.limit(limit, step).unwrap_or(self.now).as_nanos();
                self.now.max(Time::from_nanos(limit.saturating_add_signed(offset)))
            }
            Act::Jump(nanos) => Time::from_nanos(nanos),
            Act::Leap(nanos) => ahead(std::time::Duration::from_nanos(nanos)),
            _ => self.now,
        };
    }

    fn limit(&self, limit: Limit, step: &Step) -> Option<Time> {
        let (config, model) = (&self.live.config, &self.machines[step.machine.index(self.machines.len())]);
        let world = self.world(step);
        match limit {
            Limit::State => model.due(Scene { live: &self.live, world: &world, shard: 0 }),
            Limit::Hung => Some(self.under_way.first()?.1.started + config.hung_after?),
            Limit::Slow => Some(self.under_way.last()?.1.started + config.slow_calls?.after),
            Limit::Bucket => Some(end_of(config.time_window?, self.now)),
            Limit::Stable => Some(model.since + config.open_reset_after),
        }
    }
}

impl Act {
    pub(super) fn asks_then(&self) -> bool {
        !matches!(self, Self::Wait(_) | Self::WaitFor(..) | Self::Jump(_) | Self::Leap(_))
    }
}
