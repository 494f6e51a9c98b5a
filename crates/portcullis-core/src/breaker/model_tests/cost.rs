//! What a call costs does not depend on how many calls are looked at.
#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "what is measured is real time")]

use std::time::{Duration, Instant};

use crate::{
    Failure, FailureKind, Outcome, Time,
    breaker::{Config, Machine, SlowRule},
};

/// Calls of which every other fails.
fn calls(machine: &Machine, count: u32) {
    let now = || Time::ORIGIN;
    for call in 0..count {
        let admission = machine.admit(0, &now).unwrap();
        let failure = Failure::new(FailureKind::Other).into();
        machine.settle(0, admission, if call % 2 == 0 { failure } else { Outcome::Success }, &now);
    }
}

/// The shortest of many measurements: what else the machine does only makes them longer.
fn cost(window: u32) -> Duration {
    let minimum_calls = window;
    // It is asked by every rule, and none is met.
    let slow_calls = Some(SlowRule { ratio: 1.0, ..SlowRule::after(Duration::from_secs(1)) });
    let rules =
        Config { consecutive_failures: Some(2), failure_ratio: Some(1.0), slow_calls, ..Config::default() };
    let kind_limits = [(FailureKind::Other, 1_000_000)].into();
    let machine = Machine::new(Config { window, minimum_calls, kind_limits, ..rules }, 1).unwrap();
    calls(&machine, 2 * window);
    let measure = |_| {
        let start = Instant::now();
        calls(&machine, 500);
        start.elapsed()
    };
    (0..20).map(measure).min().unwrap_or_default()
}

/// A window that is counted over for each call would cost ten thousand times as much.
#[test]
fn a_call_costs_the_same_whatever_the_window() {
    let (small, large) = (cost(10), cost(100_000));
    assert!(large < 8 * small, "{large:?} with the last 100,000 calls, {small:?} with the last 10");
}
