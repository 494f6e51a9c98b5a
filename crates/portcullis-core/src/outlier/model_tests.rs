//! The fleet against a model that keeps the whole history and counts it anew each time.
#![expect(clippy::unwrap_used, reason = "tests, and what they share")]

use std::{sync::Arc, time::Duration};

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{Failure, FailureKind, Mode, Name, Time, Verdict};

#[derive(Clone, Copy, Debug)]
enum Step {
    Join,
    Leave(usize),
    /// A call that begins and ends now.
    Call(usize, End),
    /// Many of them: successes, then failures.
    Calls(usize, u8, u8),
    /// A call that begins now, and one that ends of those that have begun.
    Begin(usize),
    Finish(usize, End),
    Pass(u64),
    Eject(usize),
    Restore(usize),
    Share(u8),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Success,
    Answered,
    Local,
    Ignored,
    Limited,
}

impl End {
    fn verdict(self) -> Verdict {
        match self {
            Self::Success => Verdict::Success,
            Self::Answered => Failure::new(FailureKind::Timeout).status(504).into(),
            Self::Local => Failure::new(FailureKind::Connection).into(),
            Self::Ignored => Verdict::Ignored,
            Self::Limited => Failure::new(FailureKind::RateLimited).into(),
        }
    }
}

/// A result, as it was told, and between which ejections and returns its call began.
#[derive(Clone, Copy)]
struct Told {
    era: u32,
    end: End,
}

struct Host {
    name: String,
    /// How many ejections and returns there were.
    era: u32,
    told: Vec<Told>,
    /// Where the interval and the run began in what was told, for answers and for the way there.
    interval: usize,
    runs: [usize; 2],
    ejected: Option<u64>,
    times: u32,
    returned: u64,
}

struct Model {
    config: Config,
    hosts: Vec<Host>,
    now: u64,
    next_sweep: u64,
    made: usize,
}

impl Host {
    /// Whether a result is a success for a side, or a failure, or nothing.
    fn judge(config: &Config, side: usize, end: End) -> Option<bool> {
        match (end, config.split_local, side) {
            (End::Ignored | End::Limited, _, _) => None,
            (_, false, 1) => None,
            (End::Success, _, _) => Some(true),
            (_, false, _) => Some(false),
            (End::Answered, true, 0) => Some(false),
            (End::Answered, true, _) => Some(true),
            (End::Local, true, 0) => None,
            (End::Local, true, _) => Some(false),
        }
    }

    fn results<'a>(
        &'a self,
        config: &'a Config,
        side: usize,
        from: usize,
    ) -> impl Iterator<Item = bool> + 'a {
        let told = self.told[from..].iter().filter(|told| told.era == self.era);
        told.filter_map(move |told| Self::judge(config, side, told.end))
    }

    fn run(&self, config: &Config, side: usize) -> u32 {
        let results: Vec<_> = self.results(config, side, self.runs[side]).collect();
        results.iter().rev().take_while(|success| !**success).count() as u32
    }

    fn counts(&self, config: &Config, side: usize) -> (f64, f64) {
        let results: Vec<_> = self.results(config, side, self.interval).collect();
        let successes = results.iter().filter(|success| **success).count();
        (successes as f64, (results.len() - successes) as f64)
    }

    fn turn(&mut self) {
        self.era += 1;
        self.interval = self.told.len();
        self.runs = [self.told.len(); 2];
    }
}

impl Model {
    fn allowed(&self) -> usize {
        let count = self.hosts.len();
        if self.config.max_ejected_share == 0.0 || count < 2 {
            return 0;
        }
        // In percent, as the steps have it: without a doubt about the last digit.
        let percent = (self.config.max_ejected_share * 100.0).round() as usize;
        (percent * count / 100).max(1)
    }

    fn ejected(&self) -> usize {
        self.hosts.iter().filter(|host| host.ejected.is_some()).count()
    }

    fn eject(&mut self, at: usize, time: Option<u64>) -> Option<String> {
        if self.hosts[at].ejected.is_some() || self.ejected() >= self.allowed() {
            return None;
        }
        let (interval, now) = (self.config.interval.as_millis() as u64, self.now);
        let host = &mut self.hosts[at];
        host.times = host.times.saturating_sub(((now - host.returned) / interval) as u32) + 1;
        let usual = (30_000 * u64::from(host.times)).min(300_000);
        host.ejected = Some(now + time.unwrap_or(usual));
        host.turn();
        Some(format!("-{}", host.name))
    }

    fn restore(&mut self, at: usize, until: u64) -> Option<String> {
        let host = &mut self.hosts[at];
        host.ejected.take()?;
        host.returned = until;
        host.turn();
        Some(format!("+{}", host.name))
    }

    fn tell(&mut self, at: usize, era: u32, end: End) -> Option<String> {
        self.hosts[at].told.push(Told { era, end });
        if self.hosts[at].era != era {
            return None;
        }
        for (side, limit) in [self.config.consecutive, self.config.consecutive_local].into_iter().enumerate()
        {
            let counts = Host::judge(&self.config, side, end).is_some();
            if counts && limit.is_some_and(|limit| self.hosts[at].run(&self.config, side) == limit) {
                self.hosts[at].runs[side] = self.hosts[at].told.len();
                return self.eject(at, None);
            }
        }
        None
    }

    fn sweep(&mut self) -> Vec<String> {
        let mut changes = Vec::new();
        for at in 0..self.hosts.len() {
            if let Some(until) = self.hosts[at].ejected.filter(|until| *until <= self.now) {
                changes.extend(self.restore(at, until));
            }
        }
        if self.next_sweep > self.now {
            return changes;
        }
        while self.next_sweep <= self.now {
            self.next_sweep += self.config.interval.as_millis() as u64;
        }
        let mut candidates = Vec::new();
        for rule in 0..2 {
            for side in 0..2 {
                candidates.extend(self.candidates(rule, side));
            }
        }
        self.hosts.iter_mut().for_each(|host| host.interval = host.told.len());
        changes.extend(candidates.into_iter().filter_map(|at| self.eject(at, None)));
        changes
    }

    /// Whom a rule ejects, the worst first.
    fn candidates(&self, rule: usize, side: usize) -> Vec<usize> {
        let (rate, share) = (self.config.success_rate.unwrap(), self.config.failure_share.unwrap());
        let (min_requests, min_endpoints) = match rule {
            0 => (rate.min_requests, rate.min_endpoints),
            _ => (share.min_requests, share.min_endpoints),
        };
        let mut rates: Vec<(f64, usize, f64)> = Vec::new();
        for (at, host) in self.hosts.iter().enumerate() {
            let (successes, failures) = host.counts(&self.config, side);
            if host.ejected.is_none() && successes + failures >= f64::from(min_requests) {
                rates.push((successes / (successes + failures), at, failures / (successes + failures)));
            }
        }
        if rates.len() < min_endpoints as usize {
            return Vec::new();
        }
        rates.sort_by(|a, b| a.partial_cmp(b).unwrap());
        let mean = rates.iter().map(|rate| rate.0).sum::<f64>() / rates.len() as f64;
        let variance = rates.iter().map(|rate| (rate.0 - mean).powi(2)).sum::<f64>() / rates.len() as f64;
        let threshold = mean - f64::max(rate.deviations * variance.sqrt(), rate.min_difference);
        let is_out =
            |of: &&(f64, usize, f64)| if rule == 0 { of.0 < threshold } else { of.2 >= share.threshold };
        rates.iter().filter(is_out).map(|rate| rate.1).collect()
    }

    fn hold_share(&mut self) -> Vec<String> {
        let mut changes = Vec::new();
        while self.ejected() > self.allowed() {
            let ends = self.hosts.iter().enumerate().filter_map(|(at, host)| Some((host.ejected?, at)));
            let (_, at) = ends.min().unwrap();
            changes.extend(self.restore(at, self.now));
        }
        changes
    }
}

fn step() -> impl Strategy<Value = Step> {
    let end = || {
        prop_oneof![
            3 => Just(End::Success), 4 => Just(End::Answered), 3 => Just(End::Local),
            1 => Just(End::Ignored), 1 => Just(End::Limited),
        ]
    };
    prop_oneof![
        2 => Just(Step::Join),
        1 => (0..8usize).prop_map(Step::Leave),
        20 => (0..8usize, end()).prop_map(|(at, end)| Step::Call(at, end)),
        12 => (0..8usize, 0..20u8, 0..9u8).prop_map(|(at, ok, failed)| Step::Calls(at, ok, failed)),
        4 => (0..8usize).prop_map(Step::Begin),
        4 => (0..8usize, end()).prop_map(|(at, end)| Step::Finish(at, end)),
        8 => prop_oneof![1..2_000u64, 5_000..15_000u64, 20_000..100_000u64].prop_map(Step::Pass),
        1 => (0..8usize).prop_map(Step::Eject),
        1 => (0..8usize).prop_map(Step::Restore),
        1 => prop_oneof![Just(0u8), Just(10), Just(30), Just(50), Just(100)].prop_map(Step::Share),
    ]
}

/// Rules that random histories meet.
fn config(split_local: bool) -> Config {
    Config {
        max_ejected_share: 0.5,
        split_local,
        consecutive_local: Some(3),
        consecutive: Some(7),
        success_rate: Some(SuccessRate {
            deviations: 0.8,
            min_difference: 0.1,
            min_requests: 6,
            min_endpoints: 3,
        }),
        failure_share: Some(FailureShare { threshold: 0.5, min_requests: 6, min_endpoints: 2 }),
        ..Config::default()
    }
}

struct Both {
    fleet: Fleet,
    ends: Vec<Arc<Endpoint>>,
    begun: Vec<(Arc<Endpoint>, Admitted, String, u32)>,
    model: Model,
}

impl Both {
    fn new(config: Config) -> Self {
        let fleet = Fleet::new(config.clone(), Time::ORIGIN).unwrap();
        let next_sweep = config.interval.as_millis() as u64;
        let model = Model { config, hosts: Vec::new(), now: 0, next_sweep, made: 0 };
        let mut both = Self { fleet, ends: Vec::new(), begun: Vec::new(), model };
        (0..5).for_each(|_| both.join());
        both
    }

    fn now(&self) -> Time {
        Time::from_millis(self.model.now)
    }

    fn join(&mut self) {
        let (name, returned) = (self.model.made.to_string(), self.model.now);
        self.model.made += 1;
        self.ends.push(self.fleet.join(Name::from(name.clone()), 1, self.now()));
        let host = Host {
            name,
            era: 0,
            told: Vec::new(),
            interval: 0,
            runs: [0; 2],
            ejected: None,
            times: 0,
            returned,
        };
        self.model.hosts.push(host);
    }

    fn call(&mut self, at: usize, end: End) -> (Vec<String>, Vec<String>) {
        let (endpoint, era) = (&self.ends[at], self.model.hosts[at].era);
        let change = self.fleet.record(endpoint, endpoint.admit(), &end.verdict(), || self.now(), || 0.0);
        (shown(change), Vec::from_iter(self.model.tell(at, era, end)))
    }

    /// What the fleet did, and what it should have done.
    fn step(&mut self, step: Step) -> (Vec<String>, Vec<String>) {
        let count = self.ends.len();
        let now = self.now();
        match step {
            Step::Join => self.join(),
            Step::Share(percent) => {
                let share = f64::from(percent) / 100.0;
                self.model.config.max_ejected_share = share;
                self.model.next_sweep = self.model.now + self.model.config.interval.as_millis() as u64;
                let change = |config: &Config| Config { max_ejected_share: share, ..config.clone() };
                return (shown(self.fleet.update(change, now).unwrap()), self.model.hold_share());
            }
            Step::Finish(at, end) if !self.begun.is_empty() => {
                let (endpoint, admitted, name, era) = self.begun.swap_remove(at % self.begun.len());
                let change = self.fleet.record(&endpoint, admitted, &end.verdict(), || now, || 0.0);
                let host = self.model.hosts.iter().position(|host| host.name == name);
                return (shown(change), Vec::from_iter(host.and_then(|at| self.model.tell(at, era, end))));
            }
            Step::Pass(millis) => {
                self.model.now += millis;
                return (shown(self.fleet.sweep(self.now(), || 0.0)), self.model.sweep());
            }
            _ if count == 0 => {}
            Step::Leave(at) => {
                self.model.hosts.remove(at % count);
                let gone = self.ends.remove(at % count);
                return (shown(self.fleet.leave(&gone, now)), self.model.hold_share());
            }
            Step::Call(at, end) => return self.call(at % count, end),
            Step::Calls(at, successes, failures) => {
                let successes = std::iter::repeat_n(End::Success, successes.into());
                let ends = successes.chain(std::iter::repeat_n(End::Answered, failures.into()));
                let (done, expected): (Vec<_>, Vec<_>) = ends.map(|end| self.call(at % count, end)).unzip();
                return (done.concat(), expected.concat());
            }
            Step::Begin(at) => {
                let (endpoint, host) = (self.ends[at % count].clone(), &self.model.hosts[at % count]);
                self.begun.push((endpoint.clone(), endpoint.admit(), host.name.clone(), host.era));
            }
            Step::Eject(at) => {
                let change = self.fleet.eject(&self.ends[at % count], Duration::from_secs(7), now);
                return (shown(change), Vec::from_iter(self.model.eject(at % count, Some(7_000))));
            }
            Step::Restore(at) => {
                let change = self.fleet.restore(&self.ends[at % count], now);
                let until = self.model.now;
                return (shown(change), Vec::from_iter(self.model.restore(at % count, until)));
            }
            Step::Finish(..) => {}
        }
        (Vec::new(), Vec::new())
    }

    fn check(&self) {
        let ejected = self.model.ejected();
        assert!(ejected <= self.model.allowed(), "{ejected} of {}", self.ends.len());
        for (endpoint, host) in self.ends.iter().zip(&self.model.hosts) {
            assert_eq!(endpoint.is_usable(), host.ejected.is_none(), "{}", host.name);
        }
        let usable = self.ends.len() - ejected;
        let panicking = ejected > 0 && (2 * usable < self.ends.len() || usable == 0);
        assert_eq!(self.fleet.is_panicking(), panicking);
        let status = self.fleet.status();
        assert_eq!((status.endpoints, status.ejected), (self.ends.len(), ejected));
    }
}

fn shown(changes: impl IntoIterator<Item = Change>) -> Vec<String> {
    let shown = |change: Change| match change.what {
        What::Ejected { enforced, .. } => {
            assert!(enforced);
            format!("-{}", change.endpoint)
        }
        What::Returned { .. } => format!("+{}", change.endpoint),
    };
    changes.into_iter().map(shown).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn does_what_the_model_does(split_local: bool, steps in vec(step(), 1..250)) {
        let mut both = Both::new(config(split_local));
        for (at, step) in steps.into_iter().enumerate() {
            let (done, expected) = both.step(step);
            prop_assert_eq!(done, expected, "step {}: {:?}", at, step);
            both.check();
        }
    }
}

/// Random histories meet every kind of change: else they would prove little.
#[test]
fn histories_meet_every_cause() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut causes = [0; Cause::WORDS.len()];
    for round in 0..60 {
        let steps = vec(step(), 250).new_tree(&mut runner).unwrap().current();
        let mut both = Both::new(config(round % 2 == 0));
        steps.into_iter().for_each(|step| {
            both.step(step);
        });
        let ejections = both.fleet.status().ejections;
        causes.iter_mut().zip(ejections).for_each(|(all, more)| *all += more);
    }
    assert!(causes.iter().all(|count| *count > 0), "{causes:?}");
}

#[test]
fn in_shadow_nobody_is_ejected_but_it_is_told_once() {
    let config = Config { mode: Mode::Shadow, consecutive: Some(2), ..Config::default() };
    let fleet = Fleet::new(config, Time::ORIGIN).unwrap();
    let ends = ["a", "b"].map(|name| fleet.join(Name::from(name), 1, Time::ORIGIN));
    let told: Vec<_> = (0..20)
        .filter_map(|_| {
            fleet.record(&ends[0], ends[0].admit(), &End::Answered.verdict(), || Time::ORIGIN, || 0.0)
        })
        .collect();
    assert!(matches!(told[..], [Change { what: What::Ejected { enforced: false, .. }, .. }]), "{told:?}");
    assert!(ends[0].is_usable() && fleet.status().ejected == 0 && !fleet.is_panicking());
    let back = fleet.sweep(Time::from_millis(30_000), || 0.0);
    assert!(matches!(back[..], [Change { what: What::Returned { enforced: false }, .. }]), "{back:?}");
}
