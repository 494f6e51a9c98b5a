//! What holds after any history.

use std::time::Duration;

use proptest::prelude::*;

use crate::{
    Time,
    adaptive::{Algorithm, Config, Limiter, Sample},
};

#[derive(Clone, Debug)]
enum Step {
    Begin,
    Force,
    End { which: usize, sample: Sample },
    Wait(u64),
    Bounds { min: u32, more: u32 },
}

fn sample() -> impl Strategy<Value = Sample> {
    use Sample::{Abandoned, Congested, Failed, Ignored, Success};
    prop_oneof![8 => Just(Success), 2 => Just(Congested), 1 => Just(Failed), 1 => Just(Ignored), 1 => Just(Abandoned)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => Just(Step::Begin),
        1 => Just(Step::Force),
        20 => (any::<usize>(), sample()).prop_map(|(which, sample)| Step::End { which, sample }),
        10 => (0u64..200).prop_map(Step::Wait),
        1 => (1u32..20, 0u32..50).prop_map(|(min, more)| Step::Bounds { min, more }),
    ]
}

fn algorithm() -> impl Strategy<Value = Algorithm> {
    (0usize..4).prop_map(|at| Algorithm::all()[at])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A place is given if, and only if, fewer calls are in flight than the limit says; none is lost; and the limit is always
    /// within its bounds, and moves only when it says so.
    #[test]
    fn places_are_conserved(
        algorithm in algorithm(),
        ceiling in prop::option::of(1u64..500),
        steps in prop::collection::vec(step(), 0..800),
    ) {
        let ceiling = ceiling.map(Duration::from_millis);
        let limiter = Limiter::new(Config { algorithm, ceiling, ..Config::default() }, 2).unwrap();
        let (mut calls, mut now, mut limit) = (Vec::<(Time, u32)>::new(), Time::from_millis(7), 20);
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Begin => {
                    let expected = (calls.len() < limit as usize).then_some(calls.len() as u32 + 1);
                    let taken = limiter.try_acquire();
                    prop_assert_eq!(taken, expected);
                    prop_assert_eq!(limiter.is_full(), calls.len() + usize::from(taken.is_some()) >= limit as usize);
                    calls.extend(taken.map(|in_flight| (now, in_flight)));
                }
                Step::Force => {
                    let in_flight = limiter.force();
                    prop_assert_eq!(in_flight as usize, calls.len() + 1);
                    calls.push((now, in_flight));
                }
                Step::End { which, sample } if !calls.is_empty() => {
                    let (started, in_flight) = calls.swap_remove(which % calls.len());
                    if let Some(change) = limiter.release(number, started, in_flight, sample, now) {
                        prop_assert_eq!(change.from, limit);
                        prop_assert!(change.to != limit);
                        limit = change.to;
                    }
                }
                Step::End { .. } => {}
                Step::Wait(millis) => now = now + Duration::from_millis(millis),
                Step::Bounds { min, more } => {
                    let config = Config { min, max: min + more, initial: min, ..limiter.config() };
                    let change = limiter.reconfigure(config).unwrap();
                    limit = change.map_or(limit, |change| change.to);
                }
            }
            let config = limiter.config();
            prop_assert_eq!((limiter.limit(), limiter.in_flight() as usize), (limit, calls.len()));
            prop_assert!((config.min..=config.max).contains(&limit), "{} of {:?}", limit, config);
        }
    }

    /// Whatever has happened to it, a limit grows again when the cause is gone.
    #[test]
    fn it_never_stays_at_its_lowest(
        algorithm in algorithm(),
        history in prop::collection::vec((sample(), 0u64..3000), 0..100),
    ) {
        let limiter = Limiter::new(Config { algorithm, ..Config::default() }, 1).unwrap();
        let mut now = Time::from_millis(1);
        let round = |now: &mut Time, sample, takes: Duration| {
            let calls: Vec<_> = std::iter::from_fn(|| limiter.try_acquire()).take(2000).collect();
            let started = *now;
            *now = *now + takes;
            for in_flight in calls {
                limiter.release(0, started, in_flight, sample, *now);
            }
            limiter.limit()
        };
        for (sample, millis) in history {
            round(&mut now, sample, Duration::from_millis(millis));
        }
        // 200 s of a dependency that always takes 20 ms, however many calls there are.
        let highest = (0..10_000).map(|_| round(&mut now, Sample::Success, Duration::from_millis(20))).take_while(|limit| *limit < 100).count();
        prop_assert!(highest < 10_000, "{:?}", limiter.status());
    }
}
