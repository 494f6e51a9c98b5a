//! The breaker against a model that keeps the whole history and computes nothing cleverly.

use std::time::Duration;

use proptest::{prelude::*, sample::Index, test_runner::FileFailurePersistence};

use super::{Admission, Config, Machine, Refusal, State};
use crate::{BreakerEvidence, FailureKind, Outcome, Time};

const SECOND: Duration = Duration::from_secs(1);

/// What the documentation says, word by word.
#[derive(Clone)]
struct Model {
    config: Config,
    state: State,
    epoch: u64,
    since: Time,
    /// Open: when it may probe. Half-open: since when it probes.
    time: Time,
    /// How every call of this epoch ended that counted: `true` is a failure.
    history: Vec<bool>,
    /// Leases of this epoch that are held: of which admission, until when.
    leases: Vec<(usize, Time)>,
    probe_successes: u32,
    admissions: usize,
    evidence: (u32, u32),
    last_failure: Option<FailureKind>,
    seen: Seen,
}

/// The totals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    transitions: u64,
    trips: u64,
    successes: u64,
    failures: u64,
    ignored: u64,
    abandoned: u64,
    refused: u64,
    late: u64,
}

/// An admission as the model knows it.
#[derive(Clone, Copy, Debug)]
struct Call {
    number: usize,
    epoch: u64,
    probe: bool,
    started: Time,
}

/// Rounded up, as a wait must be.
fn whole_millis(time: Time) -> Time {
    Time::from_millis(time.as_nanos().div_ceil(1_000_000))
}

impl Model {
    fn new(config: Config) -> Self {
        Self {
            config,
            state: State::Closed,
            epoch: 0,
            since: Time::ORIGIN,
            time: Time::ORIGIN,
            history: Vec::new(),
            leases: Vec::new(),
            probe_successes: 0,
            admissions: 0,
            evidence: (0, 0),
            last_failure: None,
            seen: Seen::default(),
        }
    }

    fn go(&mut self, state: State, now: Time) {
        self.state = state;
        self.epoch += 1;
        self.since = now;
        self.time = match state {
            State::Open => whole_millis(now + self.config.open_for),
            _ => whole_millis(now),
        };
        self.history.clear();
        self.leases.clear();
        self.probe_successes = 0;
        self.seen.transitions += 1;
        self.seen.trips += u64::from(state == State::Open);
    }

    fn admit(&mut self, now: Time) -> Result<Call, Refusal> {
        loop {
            match self.state {
                State::Closed => return Ok(self.call(false, now)),
                State::Isolated => return Err(self.refuse(None)),
                State::Open if now < self.time => return Err(self.refuse(Some(self.time.since(now)))),
                State::Open => self.go(State::HalfOpen, now),
                State::HalfOpen => {
                    if let Some(max) = self.config.max_half_open.filter(|&max| now.since(self.time) >= max) {
                        self.go(State::Open, self.time + max);
                    } else if self.leases.len() < self.config.permits as usize {
                        return Ok(self.call(true, now));
                    } else {
                        let first = self.leases.iter().map(|lease| lease.1).min().unwrap();
                        if first > now {
                            return Err(self.refuse(Some(first.since(now))));
                        }
                        self.seen.failures += 1;
                        self.last_failure = Some(FailureKind::Timeout);
                        self.go(State::Open, first);
                    }
                }
            }
        }
    }

    fn call(&mut self, probe: bool, now: Time) -> Call {
        let number = self.admissions;
        self.admissions += 1;
        if probe {
            self.leases.push((number, whole_millis(now + self.config.lease)));
        }
        Call { number, epoch: self.epoch, probe, started: now }
    }

    fn refuse(&mut self, retry_after: Option<Duration>) -> Refusal {
        self.seen.refused += 1;
        let (failures, calls) = self.evidence;
        let evidence =
            BreakerEvidence { state: self.state, failures, calls, last_failure: self.last_failure };
        Refusal { evidence, retry_after }
    }

    fn settle(&mut self, call: Call, outcome: Outcome, now: Time) {
        let hung = self.config.hung_after.is_some_and(|age| now.since(call.started) >= age);
        let outcome = match outcome {
            Outcome::Abandoned if hung => Outcome::Failure(FailureKind::Timeout),
            other => other,
        };
        if call.epoch != self.epoch {
            self.seen.late += 1;
            return;
        }
        self.leases.retain(|lease| lease.0 != call.number);
        match outcome {
            Outcome::Success => self.succeeded(call, now),
            Outcome::Failure(kind) => self.failed(call, kind, now),
            Outcome::Ignored => self.seen.ignored += 1,
            Outcome::Abandoned => self.seen.abandoned += 1,
        }
    }

    fn succeeded(&mut self, call: Call, now: Time) {
        self.seen.successes += 1;
        if !call.probe {
            return self.history.push(false);
        }
        self.probe_successes += 1;
        if self.probe_successes >= self.config.successes {
            self.go(State::Closed, now);
        }
    }

    fn failed(&mut self, call: Call, kind: FailureKind, now: Time) {
        self.seen.failures += 1;
        self.last_failure = Some(kind);
        if call.probe {
            return self.go(State::Open, now);
        }
        self.history.push(true);
        if self.meets_a_rule() {
            self.evidence = self.window();
            self.go(State::Open, now);
        }
    }

    fn meets_a_rule(&self) -> bool {
        let (failures, calls) = self.window();
        let in_a_row = self.config.consecutive_failures.is_some_and(|k| self.in_a_row() >= k as usize);
        let share = f64::from(failures) / f64::from(calls);
        let enough = self.history.len() >= self.config.minimum_calls as usize;
        in_a_row || (enough && self.config.failure_ratio.is_some_and(|ratio| share >= ratio))
    }

    /// Failures and calls among the last `window` calls.
    fn window(&self) -> (u32, u32) {
        let start = self.history.len().saturating_sub(self.config.window as usize);
        let last = &self.history[start..];
        (last.iter().filter(|&&failed| failed).count() as u32, last.len() as u32)
    }

    fn in_a_row(&self) -> usize {
        self.history.iter().rev().take_while(|&&failed| failed).count()
    }

    fn by_hand(&mut self, order: Order, now: Time) {
        let isolated = self.state == State::Isolated;
        match order {
            Order::Trip if !isolated => {
                self.evidence = (0, 0);
                self.go(State::Open, now);
            }
            Order::Isolate if !isolated => {
                self.evidence = (0, 0);
                self.go(State::Isolated, now);
            }
            Order::Reset => self.go(State::Closed, now),
            Order::Release if isolated => self.go(State::Closed, now),
            Order::Close if matches!(self.state, State::Open | State::HalfOpen) => {
                self.go(State::Closed, now);
            }
            _ => {}
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Order {
    Trip,
    Reset,
    Isolate,
    Release,
    Close,
}

/// Which of the calls that are under way.
#[derive(Clone, Copy, Debug)]
enum Which {
    Oldest,
    Newest,
    Any(Index),
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Admit,
    /// Ask first and be refused later, as the layer does.
    AskAndRefuse,
    Settle(Which, Outcome),
    Wait(Duration),
    /// Until this long before or after the end of what the configuration names.
    WaitFor(Limit, i64),
    /// The clock shows anything.
    Jump(u64),
    ByHand(Order),
}

#[derive(Clone, Copy, Debug)]
enum Limit {
    Open,
    Lease,
    HalfOpen,
    Hung,
}

/// The real one and the model, side by side.
struct Pair {
    machine: Machine,
    model: Model,
    under_way: Vec<(Admission, Call)>,
    now: Time,
    shard: usize,
}

impl Pair {
    fn new(config: Config) -> Self {
        let machine = Machine::new(config.clone(), 4).unwrap();
        Self { machine, model: Model::new(config), under_way: Vec::new(), now: Time::ORIGIN, shard: 0 }
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
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
        match (self.machine.admit(self.shard, || now), self.model.admit(now)) {
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
        self.machine.settle(self.shard, admission, outcome, || self.now);
        self.model.settle(call, outcome, self.now);
    }

    fn wait_for(&mut self, limit: Limit, offset: i64) {
        let config = &self.model.config;
        let time = match limit {
            Limit::Open => config.open_for,
            Limit::Lease => config.lease,
            Limit::HalfOpen => config.max_half_open.unwrap_or(config.open_for),
            Limit::Hung => config.hung_after.unwrap_or(config.lease),
        };
        let nanos = (self.now + time).as_nanos().saturating_add_signed(offset);
        self.now = Time::from_nanos(nanos);
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
        prop_assert_eq!((status.window_failures, status.window_calls), model.window(), "window");
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

fn ratio() -> impl Strategy<Value = f64> {
    let shares = (1u32..=12).prop_flat_map(|of| (1..=of).prop_map(move |n| f64::from(n) / f64::from(of)));
    prop_oneof![8 => shares, 1 => Just(0.0001), 2 => 0.0001..=1.0]
}

/// Small numbers, so that every edge is met often. Not whole milliseconds, so that rounding shows.
fn short() -> BoxedStrategy<Duration> {
    prop_oneof![
        (1u64..20).prop_map(Duration::from_millis),
        (1_000u64..20_000).prop_map(Duration::from_micros)
    ]
    .boxed()
}

/// Everything that a configuration may say.
fn long() -> BoxedStrategy<Duration> {
    (1u64..=24 * 60 * 60 * 1000).prop_map(Duration::from_millis).boxed()
}

fn config(
    numbers: std::ops::RangeInclusive<u32>,
    windows: std::ops::RangeInclusive<u32>,
    time: BoxedStrategy<Duration>,
) -> impl Strategy<Value = Config> {
    let window = windows.prop_flat_map(|window| (Just(window), 1..=window));
    let rules = (prop::option::of(numbers.clone()), prop::option::of(ratio()), window);
    let probes = (numbers.clone(), numbers);
    let times = (time.clone(), time.clone(), prop::option::of(time.clone()), prop::option::of(time));
    (rules, probes, times).prop_map(|(rules, (permits, successes), times)| {
        let (consecutive_failures, failure_ratio, (window, minimum_calls)) = rules;
        let (open_for, lease, max_half_open, hung_after) = times;
        let rules =
            Config { consecutive_failures, failure_ratio, window, minimum_calls, ..Config::default() };
        Config { open_for, permits, successes, lease, max_half_open, hung_after, ..rules }
    })
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let kind = prop::sample::select(&FailureKind::ALL[..]);
    prop_oneof![
        4 => Just(Outcome::Success),
        5 => kind.prop_map(Outcome::Failure),
        1 => Just(Outcome::Ignored),
        1 => Just(Outcome::Abandoned),
    ]
}

fn which() -> impl Strategy<Value = Which> {
    prop_oneof![Just(Which::Oldest), Just(Which::Newest), any::<Index>().prop_map(Which::Any)]
}

fn order() -> impl Strategy<Value = Order> {
    prop::sample::select(&[Order::Trip, Order::Reset, Order::Isolate, Order::Release, Order::Close][..])
}

fn limit() -> impl Strategy<Value = Limit> {
    prop::sample::select(&[Limit::Open, Limit::Lease, Limit::HalfOpen, Limit::Hung][..])
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        24 => Just(Step::Admit),
        24 => (which(), outcome()).prop_map(|(which, outcome)| Step::Settle(which, outcome)),
        4 => Just(Step::AskAndRefuse),
        6 => (0u64..6_000_000).prop_map(|nanos| Step::Wait(Duration::from_nanos(nanos))),
        6 => (limit(), -2i64..3).prop_map(|(limit, offset)| Step::WaitFor(limit, offset)),
        2 => order().prop_map(Step::ByHand),
    ]
}

/// Jumps to anywhere, and often to either end of time.
fn jump() -> impl Strategy<Value = Step> {
    let edge = (0u64..3_000_000).prop_map(|nanos| u64::MAX - nanos);
    prop_oneof![any::<u64>(), edge, Just(u64::MAX), Just(0)].prop_map(Step::Jump)
}

fn follow(config: Config, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut pair = Pair::new(config);
    steps.into_iter().try_for_each(|step| pair.step(step))
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_decision_is_the_models(
        config in config(1..=5, 1..=12, short()), steps in prop::collection::vec(step(), 1..150),
    ) {
        follow(config, steps)?;
    }

    /// Any configuration, any clock: the same decisions still, no overflow, and an end to every call.
    #[test]
    fn no_clock_and_no_configuration_is_too_strange(
        config in config(1..=1000, 1..=1_000_000, long()),
        steps in prop::collection::vec(prop_oneof![3 => step(), 1 => jump()], 1..80),
    ) {
        follow(config, steps)?;
    }

    /// Long runs of calls that end well or badly by chance: the window slides many times over.
    #[test]
    fn the_window_is_exact_after_any_history(
        config in config(1..=9, 1..=40, short()),
        share in 0.0f64..0.9,
        dice in prop::collection::vec(0.0f64..1.0, 1..600),
    ) {
        let mut pair = Pair::new(config);
        for die in dice {
            let failed = die < share;
            let outcome = if failed { Outcome::Failure(FailureKind::Other) } else { Outcome::Success };
            pair.step(Step::Admit)?;
            pair.step(Step::Settle(Which::Newest, outcome))?;
        }
    }
}

/// Calls at time zero; how many until the breaker opens.
fn failures_to_open(machine: &Machine) -> usize {
    let now = || Time::ORIGIN;
    let mut failures = 0;
    while let Ok(call) = machine.admit(failures, now) {
        machine.settle(failures, call, Outcome::Failure(FailureKind::Other), now);
        failures += 1;
    }
    failures
}

fn succeed(machine: &Machine, times: usize, now: Time) {
    for shard in 0..times {
        let call = machine.admit(shard, || now).unwrap();
        machine.settle(shard, call, Outcome::Success, || now);
    }
}

/// T01: a window that only grew took 10,000 failures to open after 10,000 successes.
#[test]
fn t01_opens_after_half_of_the_last_hundred() {
    let config = Config { consecutive_failures: None, ..Config::default() };
    let machine = Machine::new(config, 8).unwrap();
    succeed(&machine, 10_000, Time::ORIGIN);
    assert_eq!(failures_to_open(&machine), 50);
}

/// Two of three are two thirds: a ratio kept in millionths needed all three.
#[test]
fn a_ratio_is_met_by_exactly_that_share() {
    for (failures, of) in [(1u32, 3u32), (2, 3), (5, 7), (3, 30), (29, 100), (333_333, 999_999)] {
        let ratio = f64::from(failures) / f64::from(of);
        let rules = Config { consecutive_failures: None, failure_ratio: Some(ratio), ..Config::default() };
        let machine = Machine::new(Config { window: of, minimum_calls: of, ..rules }, 1).unwrap();
        succeed(&machine, of as usize, Time::ORIGIN);
        assert_eq!(failures_to_open(&machine), failures as usize, "{failures} of {of}");
    }
}

/// Fails every probe, so that each open time ends with another. Two transitions a round.
fn keep_failing(machine: &Machine, rounds: u64) -> Time {
    let open_for = machine.config().open_for;
    let mut now = Time::ORIGIN;
    for _ in 0..rounds {
        now = now + open_for;
        let probe = machine.admit(0, || now).unwrap();
        machine.settle(0, probe, Outcome::Failure(FailureKind::Timeout), || now);
    }
    now
}

/// Epochs are compared within half of their range: what an outage of two days left behind looked newer
/// than the recovery, whose successes and failures then counted for nothing.
#[test]
fn recovers_and_trips_again_after_any_length_of_outage() {
    for rounds in [1, 16_383, 16_384, 16_385, 20_000, 32_767, 32_768, 40_000] {
        let machine = Machine::new(Config::default(), 2).unwrap();
        assert_eq!(failures_to_open(&machine), 5);
        succeed(&machine, 3, Time::ORIGIN + 5 * SECOND);
        succeed(&machine, 10, Time::ORIGIN);
        assert_eq!(failures_to_open(&machine), 5);

        let now = keep_failing(&machine, rounds) + 5 * SECOND;
        succeed(&machine, 3, now);
        assert_eq!(machine.state(), State::Closed, "after {rounds} failed probes");
        succeed(&machine, 7, now);
        let status = machine.status(now);
        assert_eq!((status.window_calls, status.late), (7, 0), "after {rounds} failed probes");
        assert_eq!(failures_to_open(&machine), 5, "after {rounds} failed probes");
    }
}

/// The layer asks `is_refusing` and does not call `admit` while it says yes: leases that last longer than
/// the half-open state may kept it there.
#[test]
fn asking_alone_ends_a_half_open_state_that_lasted_too_long() {
    let max = Some(2 * SECOND);
    let machine = Machine::new(Config { permits: 1, max_half_open: max, ..Config::default() }, 1).unwrap();
    machine.trip(Time::ORIGIN);
    let _hangs = machine.admit(0, || Time::from_millis(5_000)).unwrap();
    assert!(machine.is_refusing(|| Time::from_millis(11_999)), "open since 7 s");
    let refusal = machine.refuse(0, Time::from_millis(11_999));
    assert_eq!(refusal.retry_after, Some(Duration::from_millis(1)));
    assert_eq!(machine.state(), State::Open);
    assert!(!machine.is_refusing(|| Time::from_millis(12_000)));
}
