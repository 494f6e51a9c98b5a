//! What was promised of adaptive limits, held against every seed.

use std::time::Duration;

use portcullis_core::adaptive::Config;

use super::candidate::{Candidate, Kind, all, candidate};
use super::figures::Figures;
use super::scenario::{Machine, SEEDS, Scenario};
use super::simulation::simulate;

/// What is wrong with a candidate at ten times the capacity; nothing, if the promise holds.
fn failings(candidate: Candidate, machine: Machine, seed: u64) -> Vec<String> {
    let scenario = Scenario { machine, load: 10.0, seed };
    let trace = simulate(&mut *candidate.gate().unwrap(), scenario);
    let Figures { of_capacity, p99, back, .. } = Figures::of(&trace, scenario);
    let holds = [
        (of_capacity >= 0.9, format!("goodput {of_capacity:.3}")),
        (p99 <= 3 * machine.unloaded_p99(), format!("p99 {p99:?}")),
        (back.recovered.is_some_and(|after| after <= Duration::from_secs(10)), format!("{back:?}")),
    ];
    let failed = holds.into_iter().filter(|(holds, _)| !holds);
    failed.map(|(_, what)| format!("{}, seed {seed}: {what}", candidate.name)).collect()
}

fn all_failings(candidate: Candidate, machine: Machine) -> Vec<String> {
    SEEDS.flat_map(|seed| failings(candidate, machine, seed)).collect()
}

/// What who sets nothing gets.
fn default() -> Candidate {
    let Config { algorithm, ceiling, initial, .. } = Config::default();
    let kind = Kind::Adaptive { algorithm, ceiling, initial };
    all().into_iter().find(|candidate| candidate.kind == kind).unwrap()
}

#[test]
fn the_default_keeps_goodput_and_latency_at_ten_times_the_capacity_and_comes_back() {
    assert_eq!(all_failings(default(), Machine::QUICK), Vec::<String>::new());
}

#[test]
fn so_it_does_before_another_server() {
    assert_eq!(all_failings(default(), Machine::WIDE), Vec::<String>::new());
}

#[test]
fn so_does_the_gradient() {
    let gradient = candidate("Gradient").unwrap();
    assert_eq!(all_failings(gradient, Machine::QUICK), Vec::<String>::new());
}

#[test]
fn the_promise_is_not_one_that_no_limit_keeps_or_a_wrong_one() {
    for name in ["no limit", "fixed 200"] {
        assert_ne!(failings(candidate(name).unwrap(), Machine::QUICK, 1), Vec::<String>::new());
    }
}
