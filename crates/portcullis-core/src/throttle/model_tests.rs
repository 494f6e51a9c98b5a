//! The throttle against a model that keeps all of its history, and stories of outages.
#![expect(clippy::unwrap_used, reason = "tests, and what they share")]

mod stories;

use std::time::Duration;

use proptest::{collection, prelude::*};

use super::{Config, Ended, Lot, Throttler};
use crate::Time;

/// Of a window of a minute.
const STEP_NANOS: u64 = 1_000_000_000;
const BUCKETS: u64 = 60;

#[derive(Clone, Debug)]
enum Step {
    /// A request, with the lot that falls.
    Ask(f64),
    /// One of those under way ends.
    End(usize, Ended),
    /// One of those under way is answered.
    Answer(usize),
    Wait(u64),
    Rules(f64, f64, u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ended = prop_oneof![4 => Just(Ended::Accepted), 6 => Just(Ended::Refused), 1 => Just(Ended::Ignored)];
    let time = prop_oneof![
        4 => 1..STEP_NANOS,
        3 => STEP_NANOS..4 * STEP_NANOS,
        1 => 40 * STEP_NANOS..90 * STEP_NANOS,
    ];
    let step = prop_oneof![
        8 => (0.0..1.0).prop_map(Step::Ask),
        6 => (any::<usize>(), ended).prop_map(|(which, ended)| Step::End(which, ended)),
        1 => any::<usize>().prop_map(Step::Answer),
        4 => time.prop_map(Step::Wait),
        1 => (1.1..4.0, 0.1..=1.0, 1..12u32).prop_map(|(k, most, least)| Step::Rules(k, most, least)),
    ];
    collection::vec(step, 1..200)
}

/// What happened, with the bucket of the last look.
#[derive(Default)]
struct Model {
    looked: u64,
    admitted: Vec<u64>,
    accepted: Vec<u64>,
    /// Refused and held back.
    others: Vec<u64>,
    answered: usize,
}

impl Model {
    fn look(&mut self, now: u64) {
        self.looked = self.looked.max(now / STEP_NANOS);
    }

    fn counted(&self, buckets: &[u64]) -> u64 {
        buckets.iter().filter(|bucket| self.looked - **bucket < BUCKETS).count() as u64
    }

    fn requests(&self) -> (u64, u64) {
        let before = |age| self.admitted.iter().filter(|bucket| self.looked - **bucket >= age).count();
        let hanging = before(2).saturating_sub(self.answered.max(before(BUCKETS)));
        let accepted = self.counted(&self.accepted);
        (accepted + self.counted(&self.others) + hanging as u64, accepted)
    }
}

struct World {
    throttler: Throttler,
    config: Config,
    model: Model,
    now: u64,
    /// Calls under way: their shard, and whether they were answered.
    running: Vec<(usize, bool)>,
    asked: usize,
}

impl World {
    fn new() -> Self {
        let config = Config { window: Duration::from_secs(60), min_requests: 3, ..Config::default() };
        let throttler = Throttler::new(config.clone(), 2).unwrap();
        let (now, model) = (1_000 * STEP_NANOS, Model::default());
        Self { throttler, config, model, now, running: Vec::new(), asked: 0 }
    }

    fn now(&self) -> Time {
        Time::from_nanos(self.now)
    }

    fn chance(&self) -> f64 {
        let (requests, accepted) = self.model.requests();
        self.config.chance(requests, accepted)
    }

    /// Whether there is a chance, or would be with enough requests.
    fn would_hold(&self) -> bool {
        let (requests, accepted) = self.model.requests();
        Config { min_requests: 1, ..self.config.clone() }.chance(requests, accepted) > 0.0
    }

    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Wait(time) => self.now += time,
            Step::Ask(lot) => self.ask(lot)?,
            Step::End(which, ended) if !self.running.is_empty() => self.end(which, ended),
            Step::Answer(which) if !self.running.is_empty() => {
                let at = which % self.running.len();
                let (shard, answered) = self.running[at];
                if !answered {
                    let (now, looks) = (self.now(), self.would_hold());
                    self.throttler.answer(shard, || now);
                    self.running[at].1 = true;
                    self.model.answered += 1;
                    self.model.look(if looks { self.now } else { 0 });
                }
            }
            Step::Rules(k, max_share, min_requests) => {
                self.config = Config { k, max_share, min_requests, ..self.config.clone() };
                self.throttler.reconfigure(self.config.clone(), self.now()).unwrap();
                self.model.look(self.now);
            }
            _ => {}
        }
        Ok(())
    }

    fn ask(&mut self, lot: f64) -> Result<(), TestCaseError> {
        self.model.look(self.now);
        let told = match self.throttler.lot(self.now()) {
            Lot::Chance(chance) => chance,
            _ => 0.0,
        };
        prop_assert!((told - self.chance()).abs() < 1e-9, "{told} {}", self.chance());
        self.asked += 1;
        let shard = self.asked % 2;
        if lot < told {
            self.throttler.hold(shard, self.now());
            self.model.others.push(self.model.looked);
        } else {
            self.throttler.admit(shard);
            self.model.admitted.push(self.model.looked);
            self.running.push((shard, false));
        }
        Ok(())
    }

    fn end(&mut self, which: usize, ended: Ended) {
        let (shard, answered) = self.running.swap_remove(which % self.running.len());
        let now = self.now();
        let looks = ended != Ended::Accepted || self.would_hold();
        if answered {
            self.throttler.settle_answered(shard, ended, || now);
        } else {
            self.throttler.settle(shard, ended, || now);
            self.model.answered += 1;
        }
        match ended {
            Ended::Accepted => self.model.accepted.push(self.model.looked),
            Ended::Refused => self.model.others.push(self.model.looked),
            Ended::Ignored => {}
        }
        if looks {
            self.model.look(self.now);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn holds_back_as_the_model_does(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            world.take(step)?;
        }
        let status = world.throttler.status(world.now());
        world.model.look(world.now);
        prop_assert_eq!((status.requests, status.accepted), world.model.requests());
        prop_assert_eq!(status.accepted_total, world.model.accepted.len() as u64);
        prop_assert_eq!(status.refused_total + status.held_total, world.model.others.len() as u64);
    }

    /// No time and no number is too large, in either direction.
    #[test]
    fn no_step_of_time_panics(times in collection::vec(any::<u64>(), 1..50), window in 1..=3600u64) {
        let config = Config { window: Duration::from_secs(window), min_requests: 1, ..Config::default() };
        let throttler = Throttler::new(config.clone(), 1).unwrap();
        for nanos in times {
            let now = Time::from_nanos(nanos);
            let _ = throttler.lot(now);
            throttler.admit(0);
            throttler.settle(0, Ended::Refused, || now);
            throttler.reconfigure(Config { window: Duration::from_secs(1 + nanos % 3600), ..config.clone() }, now).unwrap();
            let status = throttler.status(now);
            prop_assert!((0.0..=0.9).contains(&status.chance));
        }
    }
}
