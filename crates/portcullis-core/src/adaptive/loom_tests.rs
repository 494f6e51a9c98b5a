//! Every order in which calls can come and go, and in which a window can end.

mod wrong;

use loom::{sync::Arc, thread};
use std::time::Duration;

use super::{
    Aimd, Algorithm, Change, Config, Limiter, Sample,
    samples::{Collected, Samples},
    word::Word,
};
use crate::{Mode, Time};

const MS: Duration = Duration::from_millis(1);

/// Two that want the last place: one gets it.
#[test]
fn the_limit_is_exact() {
    loom::model(|| {
        let word = Arc::new(Word::new(1));
        let there = Arc::clone(&word);
        let other = thread::spawn(move || there.try_acquire().is_some());
        let here = word.try_acquire().is_some();
        let there = other.join().unwrap();
        assert!(here != there, "both or none: {here}");
        word.release();
        assert_eq!(word.load(), (1, 0));
    });
}

/// A limit that moves while calls come and go: no place is lost, and none is made.
#[test]
fn a_limit_that_moves_loses_no_place() {
    loom::model(|| {
        let word = Arc::new(Word::new(1));
        let there = Arc::clone(&word);
        let other = thread::spawn(move || {
            let taken = there.try_acquire();
            if let Some(in_flight) = taken {
                assert!(in_flight <= 3, "{in_flight}");
                there.release();
            }
        });
        word.set_limit(3);
        word.force();
        word.set_limit(2);
        other.join().unwrap();
        word.release();
        assert_eq!(word.load(), (2, 0));
    });
}

/// What is counted while somebody collects is collected then or later, and never twice.
#[test]
fn every_sample_is_collected_once() {
    loom::model(|| {
        let samples = Arc::new(Samples::<1>::new(1));
        let there = Arc::clone(&samples);
        let other = thread::spawn(move || {
            there.count(0, 0, 7);
            there.count_congested(0, 3);
        });
        let mut collected = Collected::default();
        samples.collect(&mut collected);
        other.join().unwrap();
        samples.collect(&mut collected);
        assert_eq!((collected.measured(), collected.congested, collected.peak), (1, 1, 7));
    });
}

/// A limit that is enforced again while a call comes, which is the only one: it is not refused by a limit of nothing.
#[test]
fn nobody_is_refused_on_the_way_from_disabled() {
    loom::model(|| {
        let limiter = limiter(1);
        limiter.update(|config| Config { mode: Mode::Disabled, ..config.clone() }).unwrap();
        let limiter = Arc::new(limiter);
        let there = Arc::clone(&limiter);
        let other = thread::spawn(move || assert!(there.try_acquire().is_some(), "refused"));
        limiter.update(|config| Config { mode: Mode::Enforce, ..config.clone() }).unwrap();
        other.join().unwrap();
    });
}

/// One more after each window, which needs five calls.
fn limiter(initial: u32) -> Limiter {
    let algorithm = Algorithm::Aimd(Aimd::default());
    let config = Config { algorithm, initial, min_samples: 5, ..Config::default() };
    Limiter::new(config, 1).unwrap()
}

/// A call that was alone, and ended at `at`.
fn finish(limiter: &Limiter, sample: Sample, at: u64) -> Option<Change> {
    let in_flight = limiter.try_acquire().unwrap();
    limiter.release(0, Time::from_millis(at - 1), in_flight, sample, Time::from_millis(at))
}

/// Two calls at the end of a window: it is decided on once, and neither is lost.
#[test]
fn two_end_a_window_and_it_is_decided_on_once() {
    loom::model(|| {
        let limiter = Arc::new(limiter(2));
        for _ in 0..4 {
            assert_eq!(finish(&limiter, Sample::Success, 10), None);
        }
        let there = Arc::clone(&limiter);
        let other = thread::spawn(move || finish(&there, Sample::Success, 200));
        let here = finish(&limiter, Sample::Success, 201);
        let there = other.join().unwrap();
        let changes = [here, there].into_iter().flatten().count();
        assert_eq!((changes, limiter.status().windows), (1, 1));
        assert_eq!((limiter.limit(), limiter.in_flight()), (3, 0));
    });
}

/// Two calls that failed at the end of a window: it is lowered once, though each would be enough.
#[test]
fn two_failures_at_once_are_one_decrease() {
    loom::model(|| {
        let limiter = Arc::new(limiter(4));
        for _ in 0..4 {
            finish(&limiter, Sample::Success, 10);
        }
        let there = Arc::clone(&limiter);
        let other = thread::spawn(move || finish(&there, Sample::Congested, 200));
        finish(&limiter, Sample::Congested, 201);
        other.join().unwrap();
        assert_eq!((limiter.limit(), limiter.status().decreases), (3, 1));
    });
}

/// Other settings while a window ends: the limit is within the new bounds, whoever is first.
#[test]
fn other_settings_meet_the_end_of_a_window() {
    loom::model(|| {
        let limiter = Arc::new(limiter(3));
        for _ in 0..4 {
            finish(&limiter, Sample::Success, 10);
        }
        let there = Arc::clone(&limiter);
        let other = thread::spawn(move || finish(&there, Sample::Success, 200));
        let config = Config { max: 2, initial: 2, window: 50 * MS, ..limiter.config() };
        limiter.reconfigure(config).unwrap();
        other.join().unwrap();
        assert_eq!((limiter.limit(), limiter.in_flight()), (2, 0));
    });
}
