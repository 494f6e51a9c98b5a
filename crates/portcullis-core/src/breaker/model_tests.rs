//! The breaker against a model that keeps the whole history and computes nothing cleverly.
//!
//! Every step of a history is made by both, and everything that can be seen is compared: what it answers,
//! whether it refuses, whom it tells what, and its whole status.

mod configs;
mod cost;
mod group;
mod model;
mod pair;
mod steps;
mod stories;
mod threads;
mod world;

use proptest::{prelude::*, test_runner::FileFailurePersistence};
use proptest_state_machine::prop_state_machine;

use self::{
    configs::Scale,
    group::Group,
    pair::{Follow, Histories, Real},
    steps::Step,
};
use super::{Config, Mode};

/// Small numbers, and everything else by chance.
struct Small;

impl Histories for Small {
    fn start() -> BoxedStrategy<Group> {
        Group::any(&Scale::small(), 1, |config| config)
    }

    fn step() -> BoxedStrategy<Step> {
        thread_local!(static STEP: BoxedStrategy<Step> = steps::step(&Scale::small(), false));
        STEP.with(Clone::clone)
    }
}

/// A breaker that opens with the first failure, and recovers by a ramp.
struct Troubled;

impl Histories for Troubled {
    fn start() -> BoxedStrategy<Group> {
        Group::any(&Scale::small(), 1, |config| Config {
            consecutive_failures: Some(1),
            ramp: config.ramp.or(Some(4 * config.lease)),
            successes: config.successes.min(2),
            mode: Mode::Enforce,
            ..config
        })
    }

    fn step() -> BoxedStrategy<Step> {
        Small::step()
    }
}

/// Several breakers with the same settings, which each takes over in its own time.
struct Shared;

impl Histories for Shared {
    fn start() -> BoxedStrategy<Group> {
        Group::any(&Scale::small(), 3, |config| config)
    }

    fn step() -> BoxedStrategy<Step> {
        thread_local!(static STEP: BoxedStrategy<Step> = steps::step(&Scale::small(), true));
        STEP.with(Clone::clone)
    }
}

/// Any valid configuration, and a clock that may leap to the end of time.
struct Strange;

impl Histories for Strange {
    fn start() -> BoxedStrategy<Group> {
        Group::any(&Scale::whole(), 1, |config| config)
    }

    fn step() -> BoxedStrategy<Step> {
        thread_local!(static STEP: BoxedStrategy<Step> = steps::step_and_jump(&Scale::whole(), false));
        STEP.with(Clone::clone)
    }
}

/// The same, and the clock goes back too.
struct BackAndForth;

impl BackAndForth {
    fn scale() -> Scale {
        Scale { time_windows: false, ..Scale::whole() }
    }
}

impl Histories for BackAndForth {
    fn start() -> BoxedStrategy<Group> {
        Group::any(&Self::scale(), 1, |config| config)
    }

    fn step() -> BoxedStrategy<Step> {
        thread_local!(static STEP: BoxedStrategy<Step> = steps::step_and_jump(&BackAndForth::scale(), true));
        STEP.with(Clone::clone)
    }
}

/// Nothing but results, of which three in ten are failures: the window slides many times over.
struct Long;

impl Histories for Long {
    fn start() -> BoxedStrategy<Group> {
        let scale = Scale { windows: 1..=40, numbers: 1..=9, ..Scale::small() };
        Group::any(&scale, 1, |config| Config {
            mode: Mode::Enforce,
            consecutive_failures: config.consecutive_failures.map(|limit| limit + 4),
            ..config
        })
    }

    fn step() -> BoxedStrategy<Step> {
        thread_local!(static STEP: BoxedStrategy<Step> = steps::call());
        STEP.with(Clone::clone)
    }
}

fn proptest_config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    }
}

prop_state_machine! {
    #![proptest_config(proptest_config())]

    #[test]
    fn every_decision_is_the_models(sequential 1..200 => Follow<Small>);

    #[test]
    fn every_recovery_is_the_models(sequential 1..200 => Follow<Troubled>);

    #[test]
    fn breakers_that_share_their_settings_decide_as_their_models(sequential 1..120 => Follow<Shared>);

    /// Any configuration, any clock: the same decisions still, no overflow, and an end to every call.
    #[test]
    fn no_clock_and_no_configuration_is_too_strange(sequential 1..120 => Follow<Strange>);

    #[test]
    fn no_clock_that_goes_back_is_too_strange(sequential 1..120 => Follow<BackAndForth>);

    #[test]
    fn the_window_is_exact_after_any_history(sequential 1..300 => Follow<Long>);
}

proptest! {
    #![proptest_config(proptest_config())]

    /// What a window of time holds then is left open; but it panics nowhere, ends, and still works.
    #[test]
    fn a_clock_that_goes_back_breaks_no_window(
        mut group in Group::any(&Scale::whole(), 1, |config| config),
        steps in prop::collection::vec(steps::step_and_jump(&Scale::whole(), true), 1..120),
    ) {
        let mut real = Real::new(&group);
        for step in steps {
            group.pass_time(&step);
            real.step(&step, &group.world(&step));
            let status = real.machines[0].status(group.now);
            prop_assert!(status.window_failures <= status.window_calls);
            prop_assert!(status.recent.is_none_or(|recent| recent.failures <= recent.calls));
        }
        real.machines[0].reset(&|| group.now);
        prop_assert!(real.machines[0].admit(0, &|| group.now).is_ok());
    }
}
