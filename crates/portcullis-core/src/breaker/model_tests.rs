//! The breaker against a model that keeps the whole history and computes nothing cleverly.

mod model;
mod pair;
mod steps;

use std::time::Duration;

use proptest::{prelude::*, test_runner::FileFailurePersistence};

use self::{
    pair::Pair,
    steps::{Step, Which, config, jump, long, short, step},
};
use super::{Config, Machine, State};
use crate::{FailureKind, Outcome, Time};

const SECOND: Duration = Duration::from_secs(1);

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
    // 16,384 rounds are half of the range; 32,766 end in the very epoch in which the outage began.
    for rounds in [1, 16_383, 16_384, 16_385, 20_000, 32_765, 32_766, 32_767, 40_000] {
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
