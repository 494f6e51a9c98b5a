//! Configurations and histories by chance.

use std::{ops::RangeInclusive, time::Duration};

use proptest::{prelude::*, sample::Index};

use crate::{FailureKind, Outcome, breaker::Config};

#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    Trip,
    Reset,
    Isolate,
    Release,
    Close,
}

/// Which of the calls that are under way.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which {
    Oldest,
    Newest,
    Any(Index),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Admit,
    /// Ask first and be refused later, as the layer does.
    AskAndRefuse,
    Settle(Which, Outcome),
    Wait(Duration),
    /// Until so many nanoseconds before or after a limit.
    WaitFor(Limit, i64),
    /// The clock shows anything.
    Jump(u64),
    ByHand(Order),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Limit {
    /// The end of the state, or of the first lease.
    End,
    /// When the oldest call is old enough to have hung.
    Hung,
}

fn ratio() -> impl Strategy<Value = f64> {
    let shares = (1u32..=12).prop_flat_map(|of| (1..=of).prop_map(move |n| f64::from(n) / f64::from(of)));
    prop_oneof![8 => shares, 1 => Just(0.0001), 2 => 0.0001..=1.0]
}

/// Small numbers, so that every edge is met often. Not whole milliseconds, so that rounding shows.
pub(super) fn short() -> BoxedStrategy<Duration> {
    prop_oneof![
        (1u64..20).prop_map(Duration::from_millis),
        (1_000u64..20_000).prop_map(Duration::from_micros)
    ]
    .boxed()
}

/// Everything that a configuration may say.
pub(super) fn long() -> BoxedStrategy<Duration> {
    (1u64..=24 * 60 * 60 * 1000).prop_map(Duration::from_millis).boxed()
}

pub(super) fn config(
    numbers: RangeInclusive<u32>,
    windows: RangeInclusive<u32>,
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
    prop_oneof![3 => Just(Limit::End), 1 => Just(Limit::Hung)]
}

pub(super) fn step() -> impl Strategy<Value = Step> {
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
pub(super) fn jump() -> impl Strategy<Value = Step> {
    let edge = (0u64..3_000_000).prop_map(|nanos| u64::MAX - nanos);
    prop_oneof![any::<u64>(), edge, Just(u64::MAX), Just(0)].prop_map(Step::Jump)
}
