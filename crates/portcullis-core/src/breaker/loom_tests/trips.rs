//! Failures and successes, and the trip that ends their epoch.

use super::{super::Cause, *};

/// Two failures meet a rule of two, in whatever order, and open once.
#[test]
fn failures_at_once_open_at_the_threshold_and_once() {
    model(|| {
        let (machine, world) = (breaker(2, 1), Witness::default());
        let calls = [1, 2].map(|_| admit(&machine, 0).unwrap());
        let threads = calls.map(|call| {
            let world = world.clone();
            apart(&machine, move |machine| machine.settle(0, call, FAILURE, &world))
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let status = machine.status(Time::ORIGIN);
        assert_eq!((status.state, status.trips, status.transitions), (State::Open, 1, 1));
        assert_eq!((status.failures, status.late), (2, 0));
        world.saw_all(&status);
    });
}

/// A failure more than it takes is late: it neither opens again nor changes the evidence.
#[test]
fn failures_past_the_threshold_change_nothing() {
    model(|| {
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

/// Who is refused is told what opened it: that was written down before it was open.
#[test]
fn a_refusal_knows_the_whole_trip() {
    model(|| {
        let machine = breaker(1, 1);
        let call = admit(&machine, 0).unwrap();
        let timeout = Outcome::from(Failure::new(FailureKind::Timeout));
        let other = apart(&machine, |machine| admit(machine, 0));
        settle(&machine, call, timeout, 0);
        if let Err(Refusal { evidence, retry_after }) = other.join().unwrap() {
            assert_eq!((evidence.state, evidence.cause), (State::Open, Some(Cause::ConsecutiveFailures)));
            assert_eq!((evidence.failures, evidence.calls, evidence.limit), (1, 1, 1.0));
            assert_eq!(evidence.last_failure, Some(FailureKind::Timeout));
            assert_eq!(retry_after, Some(Duration::from_millis(1)));
        }
    });
}

/// A success between two failures breaks the row, or comes after them.
#[test]
fn a_success_breaks_the_row_or_is_after_it() {
    model(|| {
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
    model(|| {
        let machine = breaker(1, 1);
        let old = admit(&machine, 0).unwrap();
        let other = apart(&machine, move |machine| settle(machine, old, Outcome::Success, 0));
        machine.reset(&at(0));
        call(&machine, Outcome::Success, 0);
        other.join().unwrap();
        let status = machine.status(Time::ORIGIN);
        assert_eq!(status.window_calls, 1, "the new one, and not the old one");
        assert_eq!(status.successes + status.late, 2);
    });
}

/// Two successes on one shard meet a trip: each is counted once, before it or as late.
#[test]
fn successes_that_meet_a_trip_are_counted_once() {
    model(|| {
        let machine = breaker(1, 1);
        let [one, two, bad] = [1, 2, 3].map(|_| admit(&machine, 0).unwrap());
        let other = apart(&machine, move |machine| settle(machine, one, Outcome::Success, 0));
        settle(&machine, two, Outcome::Success, 0);
        settle(&machine, bad, FAILURE, 0);
        other.join().unwrap();
        let status = machine.status(Time::ORIGIN);
        assert_eq!((status.state, status.failures), (State::Open, 1));
        assert_eq!(status.successes + status.late, 2);
        assert!(status.window_calls <= 3 && status.window_failures == 1);
    });
}

/// Who looks while it opens sees all of the trip or nothing of it.
#[test]
fn a_status_is_of_one_moment() {
    model(|| {
        let machine = breaker(1, 1);
        let bad = admit(&machine, 0).unwrap();
        let other = apart(&machine, move |machine| settle(machine, bad, FAILURE, 0));
        let seen = machine.status(millis(0));
        let moment = (seen.transitions, seen.trips, seen.failures, seen.window_failures);
        let expected = if seen.state == State::Open { (1, 1, 1, 1) } else { (0, 0, 0, 0) };
        assert_eq!(moment, expected, "in state {:?}", seen.state);
        other.join().unwrap();
    });
}

/// Slow successes at once, which are counted, marked and judged under two looks at the epoch.
#[test]
fn slow_successes_open_once_and_are_counted_once() {
    model(|| {
        let rule = super::super::SlowRule::after(Duration::from_millis(1));
        let machine = machine(Config { slow_calls: Some(rule), minimum_calls: 2, ..config(1000, 1) });
        let calls = [1, 2].map(|_| admit(&machine, 0).unwrap());
        let threads =
            calls.map(|call| apart(&machine, move |machine| settle(machine, call, Outcome::Success, 2)));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let status = machine.status(millis(2));
        assert_eq!((status.state, status.trips), (State::Open, 1));
        assert_eq!((status.successes, status.late, status.window_calls), (2, 0, 2));
    });
}

/// A success on its way from the epoch's count to the totals is never seen twice, and never missed: a
/// total that goes down is taken for a restart by those who draw it.
#[test]
fn totals_never_go_down_nor_exceed_what_happened() {
    model(|| {
        let machine = breaker(1, 1);
        call(&machine, Outcome::Success, 0);
        let reset = apart(&machine, |machine| machine.reset(&at(0)));
        let other = apart(&machine, |machine| call(machine, Outcome::Success, 0));
        let [first, second] = [1, 2].map(|_| machine.status(Time::ORIGIN));
        assert!(1 <= first.successes && first.successes <= second.successes);
        assert!(second.successes + second.late <= 2);
        [reset, other].into_iter().for_each(|thread| thread.join().unwrap());
        let status = machine.status(Time::ORIGIN);
        assert_eq!(status.successes + status.late, 2);
    });
}

/// The same for the first success of an epoch, which may come before the shard has been moved on to it.
#[test]
fn totals_never_go_down_at_the_first_success_of_an_epoch() {
    model(|| {
        let machine = breaker(1, 1);
        call(&machine, Outcome::Success, 0);
        let other = apart(&machine, |machine| call(machine, Outcome::Success, 0));
        machine.reset(&at(0));
        let seen = machine.status(Time::ORIGIN).successes;
        assert!((1..=2).contains(&seen), "{seen}");
        other.join().unwrap();
    });
}
