//! Histories by chance.

use std::time::Duration;

use proptest::{prelude::*, sample::Index};

use super::{
    configs::{Part, Scale, config},
    world::Luck,
};
use crate::{
    Failure, FailureKind, Outcome,
    breaker::{Config, Mode, State},
};

/// Something that happens to one of the breakers.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) machine: Index,
    pub(super) shard: usize,
    /// Whether the short ways are tried first, as the layer does.
    pub(super) short: bool,
    pub(super) luck: Luck,
    pub(super) act: Act,
}

#[derive(Clone, Debug)]
pub(super) enum Act {
    Admit,
    /// Ask first and be refused later, as the layer does.
    AskAndRefuse,
    Settle(Which, Outcome),
    Wait(Duration),
    /// Until so many nanoseconds before or after a limit.
    WaitFor(Limit, i64),
    /// The clock shows anything.
    Jump(u64),
    /// The clock jumps that far ahead.
    Leap(u64),
    Tick,
    Order(Order),
    SetMode(Mode),
    /// A part of the configuration changes, for this breaker at once.
    Reconfigure(Part, Box<Config>),
    /// A part of the configuration changes, and no breaker is told.
    Replace(Part, Box<Config>),
    Refresh,
    /// The mode is followed, as that comes after another.
    FollowMode(Mode),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    Trip,
    Reset,
    Close,
    Release,
    Override(State, Option<Duration>),
}

/// Which of the calls that are under way.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which {
    Oldest,
    Newest,
    Any(Index),
}

impl Which {
    pub(super) fn of(self, count: usize) -> usize {
        match self {
            Self::Oldest => 0,
            Self::Newest => count - 1,
            Self::Any(index) => index.index(count),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Limit {
    /// The end of the state, or of the first lease.
    State,
    /// When the oldest call is old enough to have hung.
    Hung,
    /// When the newest call is old enough to be slow.
    Slow,
    /// The end of the bucket of time.
    Bucket,
    /// When an outage counts as over.
    Stable,
}

fn outcome(scale: &Scale) -> impl Strategy<Value = Outcome> + use<> {
    let kind = prop_oneof![
        Just(FailureKind::Other),
        Just(FailureKind::Timeout),
        prop::sample::select(&FailureKind::ALL[..]),
    ];
    let after = prop::option::weighted(0.2, scale.time());
    let failure = (kind, after).prop_map(|(kind, after)| Failure::new(kind).retry_after(after));
    prop_oneof![
        7 => Just(Outcome::Success),
        5 => failure.prop_map(Outcome::Failure),
        1 => Just(Outcome::Ignored),
        1 => Just(Outcome::Abandoned),
    ]
}

fn which() -> impl Strategy<Value = Which> {
    prop_oneof![Just(Which::Oldest), Just(Which::Newest), any::<Index>().prop_map(Which::Any)]
}

fn order(scale: &Scale) -> impl Strategy<Value = Order> + use<> {
    let states = prop::sample::select(&State::ALL[..]);
    prop_oneof![
        3 => Just(Order::Trip),
        1 => Just(Order::Reset),
        1 => Just(Order::Close),
        1 => Just(Order::Release),
        3 => (states, prop::option::weighted(0.85, scale.time()))
            .prop_map(|(state, time)| Order::Override(state, time)),
    ]
}

fn limit() -> impl Strategy<Value = Limit> {
    prop_oneof![
        8 => Just(Limit::State),
        1 => Just(Limit::Hung),
        1 => Just(Limit::Slow),
        2 => Just(Limit::Bucket),
        1 => Just(Limit::Stable),
    ]
}

pub(super) fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![
        12 => Just(Mode::Enforce),
        1 => Just(Mode::Shadow),
        2 => (0u8..=100).prop_map(Mode::EnforcePercent),
        1 => Just(Mode::Disabled),
    ]
}

fn part() -> impl Strategy<Value = Part> {
    prop::sample::select(&Part::ALL[..])
}

/// What the calls do.
fn calls(scale: &Scale) -> impl Strategy<Value = Act> + use<> {
    prop_oneof![
        10 => Just(Act::Admit),
        10 => (which(), outcome(scale)).prop_map(|(which, outcome)| Act::Settle(which, outcome)),
        1 => Just(Act::AskAndRefuse),
    ]
}

/// What time does. It only goes ahead.
fn waits(scale: &Scale) -> impl Strategy<Value = Act> + use<> {
    prop_oneof![
        2 => scale.time().prop_map(|time| Act::Wait(time / 3)),
        3 => (limit(), -2i64..3).prop_map(|(limit, offset)| Act::WaitFor(limit, offset)),
        1 => (limit(), 0i64..30_000_000).prop_map(|(limit, offset)| Act::WaitFor(limit, offset)),
    ]
}

/// What the people in charge do.
fn orders(scale: &Scale, shared: bool) -> impl Strategy<Value = Act> + use<> {
    let changes = || (part(), config(scale).prop_map(Box::new));
    let replaced = if shared { 3 } else { 1 };
    prop_oneof![
        3 => order(scale).prop_map(Act::Order),
        1 => mode().prop_map(Act::SetMode),
        3 => changes().prop_map(|(part, config)| Act::Reconfigure(part, config)),
        replaced => changes().prop_map(|(part, config)| Act::Replace(part, config)),
        replaced => Just(Act::Refresh),
        1 => mode().prop_map(Act::FollowMode),
    ]
}

fn with_all(act: impl Strategy<Value = Act> + 'static) -> BoxedStrategy<Step> {
    let dice = prop_oneof![1 => Just(0), 8 => any::<u64>()];
    let luck = (dice, any::<bool>(), prop::bool::weighted(0.1)).prop_map(|(dice, retry, waives)| Luck {
        dice,
        retry,
        waives,
    });
    (any::<Index>(), 0usize..8, any::<bool>(), luck, act)
        .prop_map(|(machine, shard, short, luck, act)| Step { machine, shard, short, luck, act })
        .boxed()
}

/// Calls, for the most part.
pub(super) fn step(scale: &Scale, shared: bool) -> BoxedStrategy<Step> {
    with_all(prop_oneof![
        40 => calls(scale),
        12 => waits(scale),
        3 => Just(Act::Tick),
        4 => orders(scale, shared),
    ])
}

/// The same, and the clock leaps ahead to anywhere, or is turned back too.
pub(super) fn step_and_jump(scale: &Scale, back: bool) -> BoxedStrategy<Step> {
    let edge = (0u64..3_000_000).prop_map(|nanos| u64::MAX - nanos);
    let jump = prop_oneof![any::<u64>(), edge, Just(u64::MAX), Just(0)].prop_map(Act::Jump);
    // Every power of ten, so that none is rare.
    let leap = (0u32..20, 1u64..10).prop_map(|(power, n)| Act::Leap(10u64.pow(power).saturating_mul(n)));
    with_all(prop_oneof![
        30 => calls(scale),
        6 => waits(scale),
        if back { 6 } else { 1 } => if back { jump.boxed() } else { leap.clone().boxed() },
        3 => leap,
        3 => Just(Act::Tick),
        4 => orders(scale, false),
    ])
}

/// Nothing but a call, and its result.
pub(super) fn call() -> BoxedStrategy<Step> {
    let failure = Failure::new(FailureKind::Other).into();
    let outcome =
        prop::bool::weighted(0.3).prop_map(move |fails| if fails { failure } else { Outcome::Success });
    with_all(prop_oneof![
        10 => Just(Act::Admit),
        1 => Just(Act::WaitFor(Limit::State, 0)),
        10 => outcome.prop_map(|outcome| Act::Settle(Which::Newest, outcome)),
    ])
}
