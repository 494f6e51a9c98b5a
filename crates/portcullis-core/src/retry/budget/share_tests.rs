//! That a share is exact over any stretch of time.

use proptest::prelude::*;

use super::{Budget, BudgetConfig};
use crate::{Failure, FailureKind, Time};

const FAILURE: Failure = Failure::new(FailureKind::Unavailable);

fn budget(ratio: f64, min_per_second: u32) -> Budget {
    Budget::new(BudgetConfig::share(ratio, min_per_second), 2).unwrap()
}

fn call(budget: &Budget, shard: usize) {
    assert!(!budget.begin(shard), "the end of a call is nothing to a share");
}

fn withdraw(budget: &Budget, now: Time) -> bool {
    budget.withdraw(now, &FAILURE).is_some()
}

/// T22: a budget of 51 to 99 % granted 100 %.
#[test]
fn t22_grants_the_ratio_that_was_asked_for() {
    for percent in [1, 20, 51, 75, 90, 99, 100] {
        let budget = budget(f64::from(percent) / 100.0, 0);
        let granted = (0..10_000usize).filter(|&number| {
            call(&budget, number);
            withdraw(&budget, Time::ORIGIN)
        });
        assert_eq!(granted.count(), percent as usize * 100, "{percent} %");
    }
}

#[test]
fn the_floor_fills_with_time_and_no_higher() {
    let budget = Budget::new(BudgetConfig::default(), 1).unwrap();
    let take_all = |ms| (0..100).filter(|_| withdraw(&budget, Time::from_millis(ms))).count();
    assert_eq!(take_all(0), 10);
    assert_eq!(take_all(100), 1);
    assert_eq!(take_all(3_600_000), 10);
    assert_eq!(take_all(0), 0, "a clock that jumps back gives nothing");
}

#[test]
fn a_change_pays_for_the_past_by_the_old_rules() {
    let budget = budget(0.1, 0);
    (0..10).for_each(|_| call(&budget, 0));
    budget.reconfigure(BudgetConfig::share(1.0, 0), Time::ORIGIN).unwrap();
    assert!(withdraw(&budget, Time::ORIGIN), "ten calls at a tenth");
    assert!(!withdraw(&budget, Time::ORIGIN));
    call(&budget, 0);
    assert!(withdraw(&budget, Time::ORIGIN), "one call at a whole");
}

#[derive(Clone, Debug)]
enum Step {
    Call,
    Retry,
    Wait(u64),
    /// The clock jumps back.
    Back(u64),
    /// In hundredths and per second.
    Change(u32, u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => Just(Step::Call),
        8 => Just(Step::Retry),
        4 => (0u64..500_000_000).prop_map(Step::Wait),
        1 => (0u64..2_000_000_000).prop_map(Step::Back),
        1 => (0u32..=100, 0u32..20).prop_map(|(ratio, floor)| Step::Change(ratio, floor)),
    ]
}

/// The sums up to a moment, and the rules from there on.
#[derive(Clone, Copy, Debug)]
struct Moment {
    now: u64,
    calls: u64,
    granted: u64,
    ratio: u32,
    floor: u32,
}

fn history(ratio: u32, floor: u32, steps: Vec<Step>) -> Vec<Moment> {
    let budget = budget(f64::from(ratio) / 100.0, floor);
    let mut moment = Moment { now: 0, calls: 0, granted: 0, ratio, floor };
    let mut history = vec![moment];
    for step in steps {
        let now = Time::from_nanos(moment.now);
        match step {
            Step::Call => {
                call(&budget, 0);
                moment.calls += 1;
            }
            Step::Retry => moment.granted += u64::from(withdraw(&budget, now)),
            Step::Wait(nanos) => moment.now += nanos,
            Step::Back(nanos) => moment.now = moment.now.saturating_sub(nanos),
            Step::Change(ratio, floor) => {
                let config = BudgetConfig::share(f64::from(ratio) / 100.0, floor);
                budget.reconfigure(config, now).unwrap();
                (moment.ratio, moment.floor) = (ratio, floor);
            }
        }
        history.push(moment);
    }
    history
}

proptest! {
    /// Over every window of every history: retries <= ratio * calls + floor * seconds + what was saved, by the
    /// most generous rules that held in it. Where the clock jumps back, the seconds are from the earliest time that was
    /// seen in it to the latest.
    #[test]
    fn bound_holds_over_any_window(
        ratio in 0u32..=100, floor in 0u32..20, steps in prop::collection::vec(step(), 1..200),
    ) {
        let history = history(ratio, floor, steps);
        for (i, from) in history.iter().enumerate() {
            let (mut ratio, mut floor) = (from.ratio, from.floor);
            let (mut earliest, mut latest) = (from.now, from.now);
            for to in &history[i..] {
                (earliest, latest) = (earliest.min(to.now), latest.max(to.now));
                let seconds = (latest - earliest) as f64 / 1e9;
                let calls = (to.calls - from.calls) as f64;
                let bound = calls * f64::from(ratio) / 100.0
                    + f64::from(floor) * seconds + f64::from(floor.max(2));
                prop_assert!((to.granted - from.granted) as f64 <= bound + 1e-6, "{from:?} to {to:?}");
                (ratio, floor) = (ratio.max(to.ratio), floor.max(to.floor));
            }
        }
    }
}

/// A clock that has run for long before there was a budget gives it nothing.
#[test]
fn a_new_budget_is_as_full_whatever_the_time() {
    for at in [0, 10_000, 86_400_000] {
        let budget = Budget::new(BudgetConfig::share(0.0, 1), 1).unwrap();
        assert_eq!(budget.available(Time::from_millis(at)), 1, "{at} ms");
        assert_eq!(budget.available(Time::from_millis(at + 1000)), 2, "{at} ms");
    }
}

/// Neither the ends of time nor a jump over all of it stop anybody, or give more than the bucket holds.
#[test]
fn the_ends_of_time_are_times_too() {
    for (first, then) in [(u64::MAX, u64::MAX), (0, u64::MAX), (u64::MAX, 0), (u64::MAX - 1, u64::MAX)] {
        let budget = budget(1.0, 1_000_000);
        let (first, then) = (Time::from_nanos(first), Time::from_nanos(then));
        assert_eq!(budget.available(first), 1_000_000, "{first:?}");
        assert!(withdraw(&budget, first) && withdraw(&budget, first), "{first:?}");
        assert!(budget.available(then) <= 1_000_000, "{first:?}, {then:?}");
        budget.reconfigure(BudgetConfig::share(0.0, 1), then).unwrap();
        assert!(withdraw(&budget, then), "{first:?}, {then:?}");
        assert!(budget.available(then) <= 1, "{first:?}, {then:?}");
    }
}
