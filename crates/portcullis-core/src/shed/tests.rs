//! Who is refused, and for what.

use std::time::Duration;

use proptest::{collection::vec, prelude::*};

use super::{
    arrivals::{Arrivals, Memory},
    control::Control,
    level::{LOTS, Rank},
    *,
};
use crate::{Mode, Overload, Priority, Time};

const MS: Duration = Duration::from_millis(1);

fn at(millis: u64) -> Time {
    Time::from_millis(millis)
}

/// Waits of this length for so many milliseconds.
fn wait(shedder: &Shedder, waited: Duration, from: u64, to: u64) -> Vec<Change> {
    (from..to).step_by(10).filter_map(|now| shedder.sample(Some(waited), at(now))).collect()
}

proptest! {
    /// Whatever comes, as much is refused as is to be, and never one that matters more than one who is not.
    #[test]
    fn the_share_that_is_refused_is_the_one_that_is_asked(
        weights in vec((0u32..LEVELS, 1u32..1000), 1..60),
        cut in 0.0f64..0.99,
        seed: u64,
    ) {
        let total: u32 = weights.iter().map(|(_, weight)| weight).sum();
        let chance = |n: u64| spread(n, seed);
        let draw = |n: u64| {
            let mut left = (chance(n) % u64::from(total)) as u32;
            let level = weights.iter().find(|(_, weight)| match left.checked_sub(*weight) {
                Some(less) => { left = less; false }
                None => true,
            });
            let lot = chance(n ^ 1 << 60) as u32 % LOTS;
            Rank(level.map_or(0, |(level, _)| *level) * LOTS + lot)
        };
        let arrivals = Arrivals::new(LEVELS);
        let mut memory = Memory::new(LEVELS);
        for n in 0..20_000 {
            arrivals.count(draw(n));
            if n % 100 == 99 {
                memory.add(&arrivals);
            }
        }
        let threshold = memory.threshold(cut);
        let refused = (20_000..40_000).filter(|n| draw(*n) < threshold).count() as f64 / 20_000.0;
        prop_assert!((refused - cut).abs() < 0.06, "{refused} are refused, {cut} should be");
    }

    /// The share stays within its bounds, and goes back to nothing, whatever was seen.
    #[test]
    fn no_history_leaves_anything_behind(
        seen in vec((0u64..500, 0u64..300, proptest::option::of(0.0f64..1.5)), 1..200),
        max_cut in 0.05f64..0.99,
    ) {
        let pressure = Some(Pressure::of(0.8, || None));
        let shedder = Shedder::new(Config { max_cut, pressure, ..Config::default() }).unwrap();
        let mut now = 1000;
        for (waited, after, pressure) in seen {
            now += after;
            shedder.admit(&Arrival::PLAIN, waited).ok();
            shedder.sample(Some(Duration::from_millis(waited)), at(now));
            shedder.pressure(pressure, at(now));
            let cut = shedder.status().cut;
            prop_assert!((0.0..=max_cut + 1e-9).contains(&cut), "{cut}");
        }
        shedder.pressure(None, at(now));
        wait(&shedder, Duration::ZERO, now + 2000, now + 20_000);
        prop_assert_eq!(shedder.status().cut, 0.0);
        prop_assert_eq!(shedder.status().overload, None);
        prop_assert!(!shedder.is_watching());
    }
}

#[test]
fn each_class_has_its_share_of_what_may_be_in_flight() {
    let config = Config { max_in_flight: Some(100), queue_delay: None, ..Config::default() };
    for (class, limit) in Priority::ALL.into_iter().zip([50, 65, 80, 90, 100]) {
        let shedder = Shedder::new(config.clone()).unwrap();
        let admitted = (0..200).take_while(|n| shedder.admit(&Arrival::of(class), *n).is_ok()).count();
        assert_eq!(admitted, limit, "{class}");
        let refused = shedder.admit(&Arrival::of(class), 0).unwrap_err();
        let limit = limit as f64;
        assert_eq!(refused, Refused { signal: Overload::InFlight, measured: limit, limit });
    }
}

#[test]
fn every_class_can_have_one_in_flight() {
    let config = Config { max_in_flight: Some(1), queue_delay: None, ..Config::default() };
    let shedder = Shedder::new(config).unwrap();
    assert!(shedder.admit(&Arrival::of(Priority::Lowest), 0).is_ok());
    assert!(shedder.admit(&Arrival::of(Priority::Highest), 0).is_err());
}

#[test]
fn an_overload_is_told_once_when_it_begins_and_once_when_it_ends() {
    let shedder = Shedder::new(Config::default()).unwrap();
    assert_eq!(wait(&shedder, 19 * MS, 0, 1000), []);
    let began = wait(&shedder, 40 * MS, 1000, 2000);
    let cause = Refused { signal: Overload::QueueDelay, measured: 0.04, limit: 0.02 };
    assert_eq!(began, [Change { overloaded: true, cause }]);
    assert_eq!(shedder.status().overload, Some(cause));
    let ended = wait(&shedder, MS, 2000, 12_000);
    assert_eq!(ended, [Change { overloaded: false, cause }]);
    assert_eq!(shedder.status().overload, None);
}

#[test]
fn the_refusal_names_the_signal() {
    let shedder = Shedder::new(Config::default()).unwrap();
    let lowest = Arrival::of(Priority::Lowest);
    for now in (0..2000).step_by(10) {
        shedder.sample(Some(50 * MS), at(now));
        shedder.admit(&lowest, spread(now, 0)).ok();
        shedder.admit(&Arrival::of(Priority::Highest), spread(now, 1)).ok();
    }
    let refused = shedder.admit(&lowest, 0).unwrap_err();
    assert_eq!(refused.to_string(), "queue_delay is 0.05, allowed is 0.02");
}

#[test]
fn the_longest_of_all_ways_to_look_counts() {
    let shedder = Shedder::new(Config::default()).unwrap();
    for now in (0..1000).step_by(10) {
        // The runtime is idle, but calls have waited before they came.
        shedder.told(Duration::from_millis(300 + now % 7));
        shedder.sample(Some(Duration::ZERO), at(now));
    }
    let status = shedder.status();
    assert_eq!(status.delay, Some(300 * MS));
    assert!(status.cut > 0.5);
    // Nobody comes: nobody waits.
    wait(&shedder, Duration::ZERO, 1000, 1300);
    assert_eq!(shedder.status().delay, Some(Duration::ZERO));
}

#[test]
fn pressure_is_smoothed_and_cools_down() {
    let config =
        Config { pressure: Some(Pressure::of(0.8, || None)), queue_delay: None, ..Config::default() };
    let shedder = Shedder::new(config).unwrap();
    let look = |share, from: u64, to: u64| {
        for now in (from..to).step_by(10) {
            if now % 500 == 0 {
                shedder.pressure(share, at(now));
            }
            shedder.sample(None, at(now));
        }
        shedder.status()
    };
    assert_eq!(look(Some(0.1), 0, 2000).cut, 0.0);
    assert_eq!(look(Some(1.0), 2000, 3500).cut, 0.0, "not at once");
    let hot = look(Some(1.0), 3500, 10_000);
    assert!(hot.pressure > Some(0.9) && hot.cut > 0.8, "{hot:?}");
    assert_eq!(hot.overload.map(|cause| cause.signal), Some(Overload::Pressure));
    // Cool, but for a second that is not believed.
    shedder.pressure(Some(0.0), at(10_000));
    shedder.pressure(Some(0.0), at(10_000));
    let cooling = look(Some(0.0), 10_010, 10_400);
    assert_eq!(cooling.cut, hot.cut);
    assert_eq!(look(Some(0.0), 10_400, 20_000).cut, 0.0);
}

#[test]
fn unknown_pressure_refuses_nothing() {
    let config =
        Config { pressure: Some(Pressure::of(0.1, || None)), queue_delay: None, ..Config::default() };
    let shedder = Shedder::new(config).unwrap();
    for now in (0..10_000).step_by(10) {
        shedder.pressure([None, Some(f64::NAN)][now as usize % 2], at(now));
        shedder.sample(None, at(now));
    }
    assert_eq!((shedder.status().cut, shedder.status().pressure), (0.0, None));
}

#[test]
fn a_share_that_is_cut_by_hand_is_cut() {
    let shedder = Shedder::new(Config { cut: 0.5, ..Config::default() }).unwrap();
    let classes = [Priority::Lowest, Priority::Highest];
    let mut refused = [0; 2];
    for n in 0..20_000u64 {
        let class = (n % 2) as usize;
        let arrival = Arrival::of(classes[class]);
        match shedder.admit(&arrival, spread(n, 3)) {
            Ok(()) => shedder.leave(),
            Err(cause) => {
                assert_eq!(cause.signal, Overload::Priority);
                refused[class] += u32::from(n >= 10_000);
            }
        }
        if n % 20 == 0 {
            shedder.sample(Some(Duration::ZERO), at(n / 2));
        }
    }
    assert!(refused[0] > 4_700 && refused[1] < 300, "of 5000 each {refused:?}");
}

#[test]
fn who_measures_no_more_leaves_nothing_behind() {
    let shedder = Shedder::new(Config::default()).unwrap();
    wait(&shedder, 500 * MS, 0, 1000);
    shedder.expect(at(1000));
    assert!(shedder.status().cut > 0.0 && shedder.wants_looks());
    assert!(shedder.rest().is_some_and(|change| !change.overloaded));
    assert_eq!((shedder.status().cut, shedder.is_watching(), shedder.wants_looks()), (0.0, false, false));
    assert_eq!(shedder.rest(), None);
}

#[test]
fn calls_see_that_the_look_is_late() {
    let shedder = Shedder::new(Config::default()).unwrap();
    wait(&shedder, MS, 0, 100);
    shedder.expect(at(100));
    let told: Vec<_> = (100..600).filter_map(|now| shedder.look(at(now))).collect();
    assert!(told.len() == 1 && told[0].overloaded, "{told:?}");
    assert!(shedder.status().delay > Some(100 * MS));
}

#[test]
fn settings_change_while_calls_run() {
    let shedder = Shedder::new(Config { max_in_flight: Some(10), ..Config::default() }).unwrap();
    let highest = Arrival::of(Priority::Highest);
    (0..10).for_each(|n| shedder.admit(&highest, n).unwrap());
    wait(&shedder, 100 * MS, 0, 1000);
    let cut = shedder.status().cut;
    shedder.update(|config| Config { max_in_flight: Some(20), ..config.clone() }).unwrap();
    assert!(shedder.admit(&highest, u64::MAX).is_ok());
    assert_eq!((shedder.status().in_flight, shedder.status().cut), (11, cut));
    let error = shedder.update(|config| Config { max_in_flight: Some(0), ..config.clone() }).unwrap_err();
    assert_eq!(error.to_string(), "load_shed.max_in_flight is 0: allowed is 1 to 1000000");
    shedder.update(|config| Config { mode: Mode::Disabled, ..config.clone() }).unwrap();
    assert!((0..1000).all(|n| shedder.admit(&Arrival::of(Priority::Lowest), n).is_ok()));
    assert_eq!(shedder.mode(), Mode::Disabled);
}

#[test]
fn refused_calls_come_again_apart_from_each_other() {
    let shedder = Shedder::new(Config::default()).unwrap();
    let told = [0, u64::MAX / 2, u64::MAX].map(|draw| shedder.retry_after(draw).unwrap().as_millis());
    assert_eq!(told, [2000, 1500, 1000]);
    shedder.update(|config| Config { retry_after: None, ..config.clone() }).unwrap();
    assert_eq!(shedder.retry_after(7), None);
}

#[test]
fn every_mode_has_its_byte() {
    let shedder = Shedder::new(Config::default()).unwrap();
    let percents = (0..=100).map(Mode::EnforcePercent);
    for mode in percents.chain([Mode::Enforce, Mode::Shadow, Mode::Disabled]) {
        shedder.update(|config| Config { mode, ..config.clone() }).unwrap();
        assert_eq!(shedder.mode(), mode);
    }
}

#[test]
fn shares_must_rise() {
    let error = |shares| Config { shares, ..Config::default() }.check().unwrap_err().to_string();
    assert_eq!(error([0.5, 0.4, 1.0, 1.0, 1.0]), "load_shed.shares is 0.4: allowed is 0.5 to 1.0");
    assert_eq!(error([0.5, 0.5, 1.0, 1.0, 1.1]), "load_shed.shares is 1.1: allowed is 1.0 to 1.0");
    assert!(error([0.0, 1.0, 1.0, 1.0, 1.0]).starts_with("load_shed.shares is 0.0"));
}

#[test]
fn a_share_that_falls_and_rises_meets_its_ends() {
    let mut control = Control::default();
    (0..1000).for_each(|_| control.waited(4.0, 1.0, 0.9));
    assert!((control.cut() - 0.9).abs() < 1e-9);
    (0..100).for_each(|_| control.calm());
    assert_eq!(control.cut(), 0.0);
}
