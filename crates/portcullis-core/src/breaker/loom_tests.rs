//! Every order in which two or three threads can go through a breaker.

use std::time::Duration;

use loom::{
    sync::Arc,
    sync::atomic::{
        AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
    },
    thread,
};

use super::{Admission, Config, Machine, Refusal, State, counters::Counters, state::Epoch};
use crate::{FailureKind, Outcome, Time};

const FAILURE: Outcome = Outcome::Failure(FailureKind::Other);

fn millis(millis: u64) -> Time {
    Time::from_millis(millis)
}

/// Opens after `failures` in a row, for 1 ms.
fn breaker(failures: u32, permits: u32) -> Arc<Machine> {
    let config = Config {
        consecutive_failures: Some(failures),
        failure_ratio: None,
        window: 4,
        minimum_calls: 1,
        open_for: Duration::from_millis(1),
        permits,
        successes: 1,
        lease: Duration::from_millis(5),
        ..Config::default()
    };
    Arc::new(Machine::new(config, 1).unwrap())
}

/// Open, and due to probe at 1 ms.
fn tripped(permits: u32) -> Arc<Machine> {
    let machine = breaker(1, permits);
    machine.trip(Time::ORIGIN);
    machine
}

fn admit(machine: &Machine, at: u64) -> Result<Admission, Refusal> {
    machine.admit(0, || millis(at))
}

fn settle(machine: &Machine, admission: Admission, outcome: Outcome, at: u64) {
    machine.settle(0, admission, outcome, || millis(at));
}

/// Runs `work` on a thread of its own.
fn apart<T: 'static>(
    machine: &Arc<Machine>,
    work: impl FnOnce(&Machine) -> T + 'static,
) -> thread::JoinHandle<T> {
    let machine = Arc::clone(machine);
    thread::spawn(move || work(&machine))
}

/// T32: half-open admits as many as there are permits, whoever makes it half-open.
#[test]
fn half_open_admits_its_permits_and_no_more() {
    loom::model(|| {
        let machine = tripped(2);
        let threads = [1, 2].map(|_| apart(&machine, |machine| admit(machine, 1).is_ok()));
        let here = admit(&machine, 1).is_ok();
        let admitted = threads.into_iter().map(|thread| thread.join().unwrap());
        assert_eq!(admitted.chain([here]).filter(|&ok| ok).count(), 2);
        let status = machine.status(millis(1));
        assert_eq!((status.probes_in_flight, status.transitions, status.refused), (2, 2, 1));
    });
}

/// A permit that was given back is there for the next, and once.
#[test]
fn a_permit_given_back_is_taken_once() {
    loom::model(|| {
        let machine = tripped(1);
        let probe = admit(&machine, 1).unwrap();
        let other = apart(&machine, |machine| admit(machine, 1).is_ok());
        settle(&machine, probe, Outcome::Abandoned, 1);
        let here = admit(&machine, 1).is_ok();
        assert!(other.join().unwrap() ^ here, "one of the two has it");
    });
}

/// A thread that slept through the end of a half-open state takes no permit of the next one.
#[test]
fn a_late_taker_takes_nothing_from_a_newer_epoch() {
    loom::model(|| {
        let machine = tripped(1);
        let late = apart(&machine, |machine| drop(admit(machine, 1)));
        machine.trip(millis(1));
        let first = admit(&machine, 9);
        let second = admit(&machine, 9);
        assert!(first.is_err() || second.is_err(), "two probes on one permit");
        late.join().unwrap();
        assert!(first.is_err() || admit(&machine, 9).is_err(), "two probes on one permit");
    });
}

/// A probe that ends late gives back its own permit, not that of a newer epoch.
#[test]
fn a_late_probe_gives_back_nothing_of_a_newer_epoch() {
    loom::model(|| {
        let machine = tripped(1);
        let probe = admit(&machine, 1).unwrap();
        let late = apart(&machine, |machine| settle(machine, probe, Outcome::Ignored, 1));
        machine.trip(millis(1));
        let first = admit(&machine, 2);
        assert!(first.is_ok_and(|probe| probe.is_probe()), "the permit of the new epoch is free");
        late.join().unwrap();
        assert!(admit(&machine, 2).is_err(), "and then taken");
        let status = machine.status(millis(2));
        assert_eq!(status.ignored + status.late, 1);
    });
}

/// Two failures meet a rule of two, in whatever order, and open once.
#[test]
fn failures_at_once_open_at_the_threshold_and_once() {
    loom::model(|| {
        let machine = breaker(2, 1);
        let calls = [1, 2].map(|_| admit(&machine, 0).unwrap());
        let threads = calls.map(|call| apart(&machine, move |machine| settle(machine, call, FAILURE, 0)));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let status = machine.status(Time::ORIGIN);
        assert_eq!((status.state, status.trips, status.transitions), (State::Open, 1, 1));
        assert_eq!((status.failures, status.late), (2, 0));
    });
}

/// A failure more than it takes is late: it neither opens again nor changes the evidence.
#[test]
fn failures_past_the_threshold_change_nothing() {
    loom::model(|| {
        let machine = breaker(1, 1);
        let calls = [1, 2].map(|_| admit(&machine, 0).unwrap());
        let threads = calls.map(|call| apart(&machine, move |machine| settle(machine, call, FAILURE, 0)));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let status = machine.status(Time::ORIGIN);
        assert_eq!((status.trips, status.failures, status.late), (1, 1, 1));
        let evidence = admit(&machine, 0).unwrap_err().evidence;
        assert_eq!((evidence.failures, evidence.calls), (1, 1));
    });
}

/// A reset ends the epoch: what fails meanwhile opens before it, or is late.
#[test]
fn a_reset_wins_over_a_failure_of_before() {
    loom::model(|| {
        let machine = breaker(1, 1);
        let call = admit(&machine, 0).unwrap();
        let failing = apart(&machine, move |machine| settle(machine, call, FAILURE, 0));
        machine.reset(Time::ORIGIN);
        failing.join().unwrap();
        let status = machine.status(Time::ORIGIN);
        assert_eq!((status.state, status.window_calls), (State::Closed, 0));
        assert_eq!(status.transitions, status.trips + 1);
        assert_eq!(status.failures + status.late, 1);
    });
}

/// Isolated is isolated, whatever fails meanwhile.
#[test]
fn isolation_holds_against_a_failure() {
    loom::model(|| {
        let machine = breaker(1, 1);
        let call = admit(&machine, 0).unwrap();
        let failing = apart(&machine, move |machine| settle(machine, call, FAILURE, 0));
        machine.isolate(Time::ORIGIN);
        failing.join().unwrap();
        let status = machine.status(Time::ORIGIN);
        assert_eq!((status.state, status.transitions), (State::Isolated, status.trips + 1));
        assert!(machine.is_refusing(|| millis(9)));
    });
}

/// A success between two failures breaks the row, or comes after them.
#[test]
fn a_success_breaks_the_row_or_is_after_it() {
    loom::model(|| {
        let machine = breaker(2, 1);
        let [first, good, last] = [1, 2, 3].map(|_| admit(&machine, 0).unwrap());
        settle(&machine, first, FAILURE, 0);
        let other = apart(&machine, move |machine| settle(machine, good, Outcome::Success, 0));
        settle(&machine, last, FAILURE, 0);
        other.join().unwrap();
        let status = machine.status(Time::ORIGIN);
        assert_eq!((status.failures, status.successes + status.late), (2, 1));
        if status.state == State::Closed {
            assert_eq!((status.window_calls, status.consecutive_failures), (3, 1));
        }
    });
}

/// A success counts in the window of the epoch that admitted it, and in no other; none is lost.
#[test]
fn a_success_counts_in_its_own_window() {
    loom::model(|| {
        let machine = breaker(1, 1);
        let old = admit(&machine, 0).unwrap();
        let other = apart(&machine, move |machine| settle(machine, old, Outcome::Success, 0));
        machine.reset(Time::ORIGIN);
        let new = admit(&machine, 0).unwrap();
        settle(&machine, new, Outcome::Success, 0);
        other.join().unwrap();
        let status = machine.status(Time::ORIGIN);
        assert_eq!(status.window_calls, 1, "the new one, and not the old one");
        assert_eq!(status.successes + status.late, 2);
    });
}

/// Two probes disagree: the first decides, the second is late or lost, and nothing happens twice.
#[test]
fn of_two_probes_one_decides() {
    loom::model(|| {
        let machine = tripped(2);
        let [good, bad] = [1, 2].map(|_| admit(&machine, 1).unwrap());
        let other = apart(&machine, move |machine| settle(machine, bad, FAILURE, 1));
        settle(&machine, good, Outcome::Success, 1);
        other.join().unwrap();
        let status = machine.status(millis(1));
        let expected = if status.state == State::Closed { (3, 1) } else { (3, 2) };
        assert_eq!((status.transitions, status.trips), expected);
        assert_eq!(status.successes + status.failures + status.late, 2);
    });
}

/// Whoever finds that a probe hangs: it is one failure and one trip.
#[test]
fn a_hung_probe_fails_once() {
    loom::model(|| {
        let machine = tripped(1);
        let _hangs = admit(&machine, 1).unwrap();
        let other = apart(&machine, |machine| admit(machine, 6).is_ok());
        let here = admit(&machine, 6).is_ok();
        assert!(!here && !other.join().unwrap(), "open until 7 ms");
        let status = machine.status(millis(6));
        assert_eq!((status.failures, status.trips, status.refused), (1, 2, 2));
    });
}

/// A probe succeeds just when a call finds that its lease is over: one of the two decides.
#[test]
fn a_probe_that_ends_with_its_lease_succeeds_or_hangs() {
    loom::model(|| {
        let machine = tripped(1);
        let probe = admit(&machine, 1).unwrap();
        let other = apart(&machine, move |machine| settle(machine, probe, Outcome::Success, 6));
        let here = admit(&machine, 6);
        other.join().unwrap();
        let status = machine.status(millis(6));
        let closed = status.state == State::Closed;
        assert_eq!(here.is_ok(), closed, "let through when the probe closed it in time, else refused");
        assert_eq!((status.failures, status.trips), if closed { (0, 1) } else { (1, 2) });
        assert_eq!(status.transitions, 3);
    });
}

/// Successes of two epochs on one shard, while it moves from one to the other.
#[test]
fn counters_lose_no_success_and_mix_no_epochs() {
    loom::model(|| {
        let counters = Arc::new(Counters::new(1));
        let (old, new) = (Epoch::FIRST, Epoch::FIRST.next());
        counters.success(0, old);
        let threads = [old, new].map(|epoch| {
            let counters = Arc::clone(&counters);
            thread::spawn(move || counters.success(0, epoch))
        });
        counters.begin(new);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!((counters.successes_of(new), counters.successes_of(old)), (1, 0));
        let totals = counters.totals();
        assert_eq!(totals.successes + totals.late, 3);
    });
}

/// What loom must find: each is one of the ideas above, done in two steps instead of one.
mod wrong {
    use super::*;

    fn twice(work: impl Fn() + Clone + 'static) {
        let threads = [work.clone(), work].map(|work| thread::spawn(work));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }

    /// Looks whether a permit is free, then takes it.
    #[test]
    #[should_panic(expected = "two probes on one permit")]
    fn permit_taken_in_two_steps() {
        loom::model(|| {
            let (permit, taken) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
            let count = Arc::clone(&taken);
            twice(move || {
                if permit.load(Acquire) == 0 {
                    permit.store(1, Release);
                    taken.fetch_add(1, AcqRel);
                }
            });
            assert!(count.load(Acquire) < 2, "two probes on one permit");
        });
    }

    /// Gives a permit back without looking whose it is.
    #[test]
    #[should_panic(expected = "freed another's")]
    fn permit_given_back_blindly() {
        loom::model(|| {
            let permit = Arc::new(AtomicU64::new(1));
            let late = {
                let permit = Arc::clone(&permit);
                thread::spawn(move || permit.store(0, Release))
            };
            permit.store(2, Release); // a newer epoch's lease
            late.join().unwrap();
            assert_eq!(permit.load(Acquire), 2, "freed another's");
        });
    }

    /// Counts by a load and a store.
    #[test]
    #[should_panic(expected = "lost a success")]
    fn success_counted_in_two_steps() {
        loom::model(|| {
            let successes = Arc::new(AtomicU64::new(0));
            let sum = Arc::clone(&successes);
            twice(move || successes.store(successes.load(Relaxed) + 1, Relaxed));
            assert_eq!(sum.load(Acquire), 2, "lost a success");
        });
    }

    /// Moves a shard to a new epoch by a store, whatever another thread has counted there by then.
    #[test]
    #[should_panic(expected = "lost a success")]
    fn epoch_entered_by_a_store() {
        const NEW: u64 = 1 << 48;
        loom::model(|| {
            let cell = Arc::new(AtomicU64::new(0));
            let sum = Arc::clone(&cell);
            twice(move || {
                if cell.load(Acquire) < NEW {
                    cell.store(NEW, Release);
                }
                cell.fetch_add(1, AcqRel);
            });
            assert_eq!(sum.load(Acquire), NEW + 2, "lost a success");
        });
    }

    /// Counts the failure, and only then looks whether the breaker is closed, to open it by a store.
    #[test]
    #[should_panic(expected = "opened twice")]
    fn opened_without_compare_exchange() {
        loom::model(|| {
            let (failures, open) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
            let trips = Arc::new(AtomicU64::new(0));
            let count = Arc::clone(&trips);
            twice(move || {
                if failures.fetch_add(1, AcqRel) + 1 >= 1 && open.load(Acquire) == 0 {
                    open.store(1, Release);
                    trips.fetch_add(1, AcqRel);
                }
            });
            assert!(count.load(Acquire) < 2, "opened twice");
        });
    }
}
