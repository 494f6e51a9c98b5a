//! Successes that race with the end of their bucket of time, or of their epoch.

use super::{
    super::{cells::Counters, state::Epoch},
    *,
};

const OLD: Epoch = Epoch::FIRST;

/// Counts a success the short way, or else the long one.
fn succeed(counters: &Counters, epoch: Epoch, time: u64) {
    let cell = counters.cell(0);
    if !cell.success(epoch, &at(time)) {
        cell.success_slow(epoch);
    }
}

/// Successes of two epochs on one shard, while it moves from one to the other.
#[test]
fn counters_lose_no_success_and_mix_no_epochs() {
    model(|| {
        let counters = Arc::new(Counters::one(false));
        let new = OLD.next();
        succeed(&counters, OLD, 0);
        let threads = [OLD, new].map(|epoch| {
            let counters = Arc::clone(&counters);
            spawn(move || succeed(&counters, epoch, 0))
        });
        counters.begin(new);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!((counters.successes_of(new), counters.successes_of(OLD)), (1, 0));
        let totals = counters.totals();
        assert_eq!(totals.successes + totals.late, 3);
    });
}

/// A bucket's successes are taken out while others count there: each is in the old one or in the new one.
#[test]
fn a_roll_loses_no_success_and_takes_none_twice() {
    model(|| {
        let counters = Arc::new(Counters::one(true));
        counters.cell(0).roll(OLD, millis(1).as_nanos());
        succeed(&counters, OLD, 0);
        let threads = [0, 1].map(|time| {
            let counters = Arc::clone(&counters);
            spawn(move || succeed(&counters, OLD, time))
        });
        let taken = counters.cell(0).roll(OLD, millis(2).as_nanos());
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(taken >= 1);
        assert_eq!(taken + counters.successes_of(OLD), 3);
        assert_eq!(counters.totals().successes, 3);
    });
}

/// Who counts the short way in a new bucket has seen its end, and is not taken for the old one.
#[test]
fn who_sees_the_new_end_counts_in_the_new_bucket() {
    model(|| {
        let counters = Arc::new(Counters::one(true));
        let (cell, new) = (counters.cell(0), millis(2).as_nanos());
        cell.roll(OLD, millis(1).as_nanos());
        succeed(&counters, OLD, 0);
        let there = Arc::clone(&counters);
        let other = spawn(move || there.cell(0).success(OLD, &at(1)));
        assert_eq!(cell.roll(OLD, new), 1, "only what was there before");
        let counted = other.join().unwrap();
        assert_eq!(counters.successes_of(OLD), u64::from(counted));
    });
}

/// A success of the old bucket and one of the new, through a breaker: all windows have both.
#[test]
fn a_success_at_the_end_of_a_bucket_is_in_every_window() {
    model(|| {
        let machine = machine(timed());
        call(&machine, Outcome::Success, 0);
        let threads =
            [0, 1].map(|time| apart(&machine, move |machine| call(machine, Outcome::Success, time)));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let status = machine.status(millis(1));
        assert_eq!((status.successes, status.late, status.window_calls), (3, 0, 3));
        assert_eq!(recent_calls(&status), 3);
    });
}

/// Two threads find the bucket over: it ends once, and what was in it leaves the window with it.
#[test]
fn a_bucket_ends_once() {
    model(|| {
        let machine = machine(timed());
        call(&machine, Outcome::Success, 0);
        let threads = [1, 2].map(|_| apart(&machine, |machine| call(machine, Outcome::Success, 1)));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(recent_calls(&machine.status(millis(3))), 3);
        let later = machine.status(millis(4));
        assert_eq!((recent_calls(&later), later.window_calls, later.successes), (2, 3, 3));
    });
}

/// A failure looks at the window while a success moves on to the next bucket: it sees what was there.
#[test]
fn a_failure_sees_every_earlier_success_while_a_bucket_ends() {
    model(|| {
        let rule = TimeRule { failure_ratio: 0.5, minimum_calls: 2, ..over(4) };
        let machine = machine(Config { time_window: Some(rule), ..config(1000, 1) });
        (0..2).for_each(|_| call(&machine, Outcome::Success, 0));
        let other = apart(&machine, |machine| call(machine, Outcome::Success, 1));
        call(&machine, FAILURE, 1);
        other.join().unwrap();
        let status = machine.status(millis(1));
        assert_eq!((status.state, status.successes, status.failures), (State::Closed, 3, 1));
        assert_eq!((recent_calls(&status), status.window_calls), (4, 4));
    });
}

/// The same for totals while a bucket ends.
#[test]
fn totals_never_go_down_while_a_bucket_ends() {
    model(|| {
        let machine = machine(timed());
        call(&machine, Outcome::Success, 0);
        let other = apart(&machine, |machine| call(machine, Outcome::Success, 1));
        let [first, second] = [1, 2].map(|_| machine.status(millis(1)));
        assert!(1 <= first.successes && first.successes <= second.successes && second.successes <= 2);
        other.join().unwrap();
        assert_eq!(machine.status(millis(1)).successes, 2);
    });
}

/// A success that ends a bucket, against the end of the epoch: in the totals once, in no later window.
#[test]
fn a_bucket_that_ends_with_the_epoch_leaves_nothing_behind() {
    model(|| {
        let machine = machine(timed());
        call(&machine, Outcome::Success, 0);
        let good = admit(&machine, 0).unwrap();
        let other = apart(&machine, move |machine| settle(machine, good, Outcome::Success, 1));
        machine.reset(&at(1));
        other.join().unwrap();
        let status = machine.status(millis(1));
        assert_eq!(status.successes + status.late, 2);
        assert_eq!((recent_calls(&status), status.window_calls), (0, 0));
    });
}

/// The same, when a failure opens it.
#[test]
fn a_bucket_that_ends_with_a_trip_leaves_nothing_behind() {
    model(|| {
        let machine = machine(Config { consecutive_failures: Some(1), ..timed() });
        call(&machine, Outcome::Success, 0);
        let [good, bad] = [1, 2].map(|_| admit(&machine, 0).unwrap());
        let other = apart(&machine, move |machine| settle(machine, good, Outcome::Success, 1));
        settle(&machine, bad, FAILURE, 1);
        other.join().unwrap();
        let status = machine.status(millis(1));
        assert_eq!((status.state, status.failures), (State::Open, 1));
        assert_eq!(status.successes + status.late, 2);
        machine.reset(&at(1));
        let status = machine.status(millis(1));
        assert_eq!((recent_calls(&status), status.window_calls), (0, 0));
    });
}
