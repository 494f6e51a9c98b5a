//! Every order in which results, ejections, returns and the ends of intervals can meet.
#![expect(clippy::unwrap_used, reason = "tests, and what they share")]

use loom::{
    sync::{
        Arc as LoomArc,
        atomic::{
            AtomicU32,
            Ordering::{AcqRel, Acquire, Release},
        },
    },
    thread,
};
use std::{sync::Arc, time::Duration};

use super::{counts::Counts, *};
use crate::{Failure, FailureKind, Name, Time, Verdict};

const NOW: Time = Time::from_millis(1000);

fn failed() -> Verdict {
    Failure::new(FailureKind::Internal).into()
}

fn fleet(config: Config, count: usize) -> (LoomArc<Fleet>, Vec<Arc<Endpoint>>) {
    let fleet = Fleet::new(config, NOW).unwrap();
    let ends = (0..count).map(|at| fleet.join(Name::from(at.to_string()), 1, NOW)).collect();
    (LoomArc::new(fleet), ends)
}

/// Of all who count, one is told that the run is at its end.
#[test]
fn a_run_ends_for_one_thread_only() {
    loom::model(|| {
        let counts = LoomArc::new(Counts::default());
        let other = counts.clone();
        let thread = thread::spawn(move || u32::from(other.failure(0, 2)));
        let here = u32::from(counts.failure(0, 2));
        assert_eq!(here + thread.join().unwrap(), 1);
        assert_eq!((counts.run(), counts.interval().failures), (0, 2));
    });
}

/// The same with a count that is read and written: what the word is for.
#[test]
#[should_panic(expected = "both or none")]
fn a_run_that_is_counted_in_two_steps_is_seen() {
    struct Twin(AtomicU32);

    impl Twin {
        fn failure(&self, limit: u32) -> bool {
            let run = self.0.load(Acquire) + 1;
            self.0.store(if run == limit { 0 } else { run }, Release);
            run == limit
        }
    }

    loom::model(|| {
        let twin = LoomArc::new(Twin(AtomicU32::new(0)));
        let other = twin.clone();
        let thread = thread::spawn(move || u32::from(other.failure(2)));
        let here = u32::from(twin.failure(2));
        assert_eq!(here + thread.join().unwrap(), 1, "both or none");
    });
}

/// The end of an interval takes every result once.
#[test]
fn no_result_is_lost_or_counted_twice() {
    loom::model(|| {
        let counts = LoomArc::new(Counts::default());
        let other = counts.clone();
        let thread = thread::spawn(move || {
            other.success(0);
            other.failure(0, 0);
        });
        let first = counts.take();
        thread.join().unwrap();
        let second = counts.take();
        assert_eq!((first.successes + second.successes, first.failures + second.failures), (1, 1));
    });
}

/// A result of before never counts after, whenever it comes.
#[test]
fn a_late_result_changes_nothing() {
    loom::model(|| {
        let counts = LoomArc::new(Counts::default());
        let other = counts.clone();
        let thread = thread::spawn(move || other.failure(0, 5));
        counts.renew();
        thread.join().unwrap();
        assert_eq!((counts.run(), counts.interval().calls()), (0, 0));
    });
}

/// Two endpoints fall at once, and there is room for one.
#[test]
fn the_share_holds_when_two_fall_at_once() {
    loom::model(|| {
        let (fleet, ends) = fleet(Config { consecutive: Some(1), ..Config::default() }, 2);
        let (other, end) = (fleet.clone(), ends[0].clone());
        let thread =
            thread::spawn(move || other.record(&end, end.admit(), &failed(), || NOW, || 0.5).is_some());
        let here = fleet.record(&ends[1], ends[1].admit(), &failed(), || NOW, || 0.5).is_some();
        assert!(here != thread.join().unwrap(), "one of them");
        assert_eq!(ends.iter().filter(|end| end.is_usable()).count(), 1);
    });
}

/// Whoever sees the version of an ejection sees the ejection.
#[test]
fn the_version_comes_last() {
    loom::model(|| {
        let (fleet, ends) = fleet(Config::default(), 2);
        let before = fleet.version();
        let (other, end) = (fleet.clone(), ends[0].clone());
        let thread = thread::spawn(move || other.eject(&end, Duration::from_secs(1), NOW));
        if fleet.version() != before {
            assert!(!ends[0].is_usable());
        }
        assert!(thread.join().unwrap().is_some());
    });
}

/// A return that is due and a failure that ejects: the endpoint is in or out, and no counts are left over.
#[test]
fn a_return_and_a_late_failure_do_not_mix() {
    loom::model(|| {
        let (fleet, ends) = fleet(Config { consecutive: Some(1), ..Config::default() }, 2);
        let admitted = ends[0].admit();
        fleet.eject(&ends[0], Duration::from_secs(1), NOW);
        let other = fleet.clone();
        let thread = thread::spawn(move || other.sweep(NOW + Duration::from_secs(2), || 0.5).len());
        let late = fleet.record(&ends[0], admitted, &failed(), || NOW, || 0.5);
        assert_eq!((late, thread.join().unwrap()), (None, 1));
        assert!(ends[0].is_usable() && fleet.status().failures == 0);
    });
}

/// The wrong twin of the share: two who look first and eject then are both let through.
#[test]
#[should_panic(expected = "one of them")]
fn a_share_that_is_looked_at_first_is_seen() {
    loom::model(|| {
        let ejected = LoomArc::new(AtomicU32::new(0));
        let eject = |ejected: &AtomicU32| ejected.load(Acquire) == 0 && ejected.fetch_add(1, AcqRel) < 2;
        let other = ejected.clone();
        let thread = thread::spawn(move || eject(&other));
        let here = eject(&ejected);
        assert!(here != thread.join().unwrap(), "one of them");
    });
}

/// A run that ended before the endpoint was ejected and returned does not eject it again.
#[test]
fn a_run_of_before_ejects_nobody_after() {
    loom::model(|| {
        let (fleet, ends) = fleet(Config { consecutive: Some(1), ..Config::default() }, 2);
        let (other, end) = (fleet.clone(), ends[0].clone());
        let admitted = ends[0].admit();
        let thread = thread::spawn(move || {
            other.eject(&end, Duration::from_secs(1), NOW);
            other.restore(&end, NOW);
        });
        fleet.record(&ends[0], admitted, &failed(), || NOW, || 0.5);
        thread.join().unwrap();
        assert!(ends[0].is_usable());
    });
}
