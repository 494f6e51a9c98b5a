//! Configurations by chance.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    ops::RangeInclusive,
    time::Duration,
};

use proptest::prelude::*;

use super::steps::mode;
use crate::{
    FailureKind,
    breaker::{Config, OpenTime, SlowRule, TimeRule, TripRule, WindowStatus},
};

/// How large the numbers are.
#[derive(Clone)]
pub(super) struct Scale {
    pub(super) numbers: RangeInclusive<u32>,
    pub(super) windows: RangeInclusive<u32>,
    pub(super) buckets: RangeInclusive<u32>,
    pub(super) whole_range: bool,
    /// Whether any looks at the last seconds: how those move is left open for a clock that goes back.
    pub(super) time_windows: bool,
}

/// What of a configuration changes in mid-flight.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    Limits,
    Window,
    TimeWindow,
    Slow,
    Kinds,
    Rule,
    OpenTime,
    Probes,
    Ramp,
    All,
}

impl Part {
    pub(super) const ALL: [Self; 10] = [
        Self::Limits,
        Self::Window,
        Self::TimeWindow,
        Self::Slow,
        Self::Kinds,
        Self::Rule,
        Self::OpenTime,
        Self::Probes,
        Self::Ramp,
        Self::All,
    ];

    /// `config` with this part as `other` has it.
    pub(super) fn replaced(self, mut config: Config, other: &Config) -> Config {
        let other = other.clone();
        match self {
            Self::Limits => {
                config.consecutive_failures = other.consecutive_failures;
                config.failure_ratio = other.failure_ratio;
            }
            Self::Window => (config.window, config.minimum_calls) = (other.window, other.minimum_calls),
            Self::TimeWindow => config.time_window = other.time_window,
            Self::Slow => config.slow_calls = other.slow_calls,
            Self::Kinds => config.kind_limits = other.kind_limits,
            Self::Rule => config.rule = other.rule,
            Self::OpenTime => (config.open_for, config.open_time) = (other.open_for, other.open_time),
            Self::Probes => {
                (config.permits, config.successes) = (other.permits, other.successes);
                (config.lease, config.probe_ratio) = (other.lease, other.probe_ratio);
            }
            Self::Ramp => (config.ramp, config.max_half_open) = (other.ramp, other.max_half_open),
            Self::All => config = other,
        }
        config
    }
}

impl Scale {
    /// Small numbers, so that every edge is met often.
    pub(super) fn small() -> Self {
        Self { numbers: 1..=5, windows: 1..=12, buckets: 1..=6, whole_range: false, time_windows: true }
    }

    /// Everything that a configuration may say.
    pub(super) fn whole() -> Self {
        Self {
            numbers: 1..=1000,
            windows: 1..=1_000_000,
            buckets: 1..=1000,
            whole_range: true,
            time_windows: true,
        }
    }

    /// How many of something; often so few that they are met.
    fn number(&self) -> BoxedStrategy<u32> {
        prop_oneof![1..=2u32, self.numbers.clone()].boxed()
    }

    /// Not whole milliseconds when it is short, so that rounding shows.
    pub(super) fn time(&self) -> BoxedStrategy<Duration> {
        if self.whole_range {
            return (1u64..=24 * 60 * 60 * 1000).prop_map(Duration::from_millis).boxed();
        }
        prop_oneof![
            (1u64..20).prop_map(Duration::from_millis),
            (1_000u64..20_000).prop_map(Duration::from_micros),
        ]
        .boxed()
    }
}

fn ratio() -> BoxedStrategy<f64> {
    let shares = (1u32..=12).prop_flat_map(|of| (1..=of).prop_map(move |n| f64::from(n) / f64::from(of)));
    prop_oneof![8 => shares, 1 => Just(0.0001), 2 => 0.0001..=1.0].boxed()
}

pub(super) fn config(scale: &Scale) -> BoxedStrategy<Config> {
    (limits(scale), rules(scale), open_times(scale), probes(scale), others(scale))
        .prop_map(|(limits, rules, open_times, probes, others)| {
            let config = Part::Limits.replaced(others, &limits);
            let config = Part::Window.replaced(config, &limits);
            let config = Config { max_half_open: probes.max_half_open, ramp: probes.ramp, ..config };
            let config =
                Config { probe_chance: probes.probe_chance, ..Part::Probes.replaced(config, &probes) };
            let (time_window, slow_calls) = (rules.time_window, rules.slow_calls);
            let (kind_limits, rule) = (rules.kind_limits, rules.rule);
            let config = Config { time_window, slow_calls, kind_limits, rule, ..config };
            let Config { open_factor, open_cap, open_jitter, open_reset_after, .. } = open_times;
            let config = Config { open_factor, open_cap, open_jitter, open_reset_after, ..config };
            Part::OpenTime.replaced(config, &open_times)
        })
        .boxed()
}

/// The rules over the last calls.
fn limits(scale: &Scale) -> impl Strategy<Value = Config> + use<> {
    let window = scale.windows.clone().prop_flat_map(|window| (Just(window), 1..=window));
    let rules = (prop::option::of(scale.number()), prop::option::of(ratio()), window);
    rules.prop_map(|(consecutive_failures, failure_ratio, (window, minimum_calls))| Config {
        consecutive_failures,
        failure_ratio,
        window,
        minimum_calls,
        ..Config::default()
    })
}

/// The rules that are off by default.
fn rules(scale: &Scale) -> impl Strategy<Value = Config> + use<> {
    let recent = (scale.time(), scale.buckets.clone(), ratio(), scale.number()).prop_map(
        |(span, buckets, failure_ratio, minimum_calls)| TimeRule {
            span,
            buckets,
            failure_ratio,
            minimum_calls,
        },
    );
    let slow = (scale.time(), ratio()).prop_map(|(after, ratio)| SlowRule { after, ratio });
    let kind = prop_oneof![Just(FailureKind::Other), prop::sample::select(&FailureKind::ALL[..])];
    let kinds = prop::collection::btree_map(kind, scale.number(), 1..=3);
    let kinds = prop_oneof![2 => Just(BTreeMap::new()), 1 => kinds];
    let rule = prop::option::weighted(0.2, (2u64..9).prop_map(any_rule));
    let recent = prop::option::of(recent);
    let recent = if scale.time_windows { recent.boxed() } else { Just(None).boxed() };
    (recent, prop::option::weighted(0.4, slow), kinds, rule).prop_map(
        |(time_window, slow_calls, kind_limits, rule)| Config {
            time_window,
            slow_calls,
            kind_limits,
            rule,
            ..Config::default()
        },
    )
}

fn open_times(scale: &Scale) -> impl Strategy<Value = Config> + use<> {
    let one_or = |range: RangeInclusive<f64>, one: f64| prop_oneof![Just(one), range];
    let function = prop::option::weighted(0.15, (0u32..46).prop_map(any_time));
    let reset = prop_oneof![Just(Duration::ZERO), scale.time(), scale.time().prop_map(|time| 3 * time)];
    let cap = prop_oneof![scale.time(), Just(Duration::from_secs(24 * 60 * 60))];
    (scale.time(), one_or(1.0..=10.0, 2.0), cap, one_or(0.0..=1.0, 0.0), reset, function).prop_map(
        |(open_for, open_factor, open_cap, open_jitter, reset, open_time)| Config {
            open_for,
            open_factor,
            open_cap,
            open_jitter,
            open_reset_after: reset.min(Duration::from_secs(24 * 60 * 60)),
            open_time,
            ..Config::default()
        },
    )
}

fn probes(scale: &Scale) -> impl Strategy<Value = Config> + use<> {
    let numbers = (scale.number(), scale.number());
    let shares = (prop::option::weighted(0.4, ratio()), prop_oneof![2 => Just(1.0), 1 => 0.01..=1.0]);
    let max = prop::option::weighted(0.3, scale.time());
    let ramp = prop::option::weighted(0.4, scale.time());
    (numbers, shares, scale.time(), max, ramp).prop_map(
        |((permits, successes), (probe_ratio, probe_chance), lease, max_half_open, ramp)| Config {
            permits,
            successes,
            probe_ratio,
            probe_chance,
            lease,
            max_half_open,
            ramp,
            ..Config::default()
        },
    )
}

fn others(scale: &Scale) -> impl Strategy<Value = Config> + use<> {
    let hung = prop::option::weighted(0.3, scale.time());
    let only_retries = prop::bool::weighted(0.15);
    (hung, only_retries, any::<bool>(), mode()).prop_map(|(hung_after, only_retries, automatic, mode)| {
        Config { hung_after, only_retries, automatic, mode, ..Config::default() }
    })
}

/// A number that is another whenever anything that it is made of is.
fn fingerprint(values: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    values.hash(&mut hasher);
    hasher.finish()
}

fn numbers(window: WindowStatus) -> (u32, u32, u32) {
    (window.calls, window.failures, window.slow)
}

/// A rule that looks at everything, and is met one time in so many.
fn any_rule(of: u64) -> TripRule {
    TripRule::new(move |seen| {
        let recent = seen.recent.map(numbers);
        let all = (numbers(seen.calls), recent, seen.consecutive_failures, seen.failure);
        fingerprint(all).is_multiple_of(of)
    })
}

/// An open time that looks at everything, of up to 2 to the power of `bits` nanoseconds.
fn any_time(bits: u32) -> OpenTime {
    OpenTime::new(move |opening| {
        let all = (opening.times, numbers(opening.window), opening.last_failure, opening.advised);
        Duration::from_nanos(fingerprint(all) >> (63 - bits))
    })
}
