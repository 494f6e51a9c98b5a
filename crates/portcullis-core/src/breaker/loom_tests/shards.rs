//! Several shards, of which one may be the only one that is used.

use super::*;

/// Closed, with its only successes on the first of two shards, so that failures look only there.
fn one_sided(failures: u32) -> Arc<Machine> {
    let machine = Machine::new(config(failures, 1), 2).unwrap();
    machine.trouble();
    for outcome in [FAILURE, Outcome::Success, FAILURE] {
        on(&machine, 0, outcome);
    }
    Arc::new(machine)
}

/// A whole call on this shard.
fn on(machine: &Machine, shard: usize, outcome: Outcome) {
    let admission = machine.admit(shard, &at(0)).unwrap();
    machine.settle(shard, admission, outcome, &at(0));
}

/// The first success of a shard is in its place among the failures of another.
#[test]
fn a_success_on_another_shard_is_before_the_failures_after_it() {
    model(|| {
        let machine = one_sided(3);
        let other = apart(&machine, |machine| {
            on(machine, 1, Outcome::Success);
            on(machine, 0, FAILURE);
        });
        on(&machine, 0, FAILURE);
        other.join().unwrap();
        // Of the last four one succeeded: there were no three failures in a row.
        let status = machine.status(Time::ORIGIN);
        assert_eq!((status.state, status.window_calls, status.window_failures), (State::Closed, 4, 3));
        assert_eq!((status.successes, status.failures), (2, 4));
    });
}

/// The first success of a shard meets a trip, and is counted once: before it, or as late.
#[test]
fn the_first_success_of_a_shard_meets_a_trip() {
    model(|| {
        let machine = one_sided(2);
        let success = admit(&machine, 0).unwrap();
        let other = apart(&machine, move |machine| machine.settle(1, success, Outcome::Success, &at(0)));
        on(&machine, 0, FAILURE);
        other.join().unwrap();
        let status = machine.status(Time::ORIGIN);
        assert_eq!((status.failures, status.successes + status.late), (3, 2));
        machine.reset(&at(0));
        on(&machine, 1, Outcome::Success);
        assert_eq!(machine.status(Time::ORIGIN).window_calls, 1, "only that of the new epoch");
    });
}

/// The first successes of two shards at once: neither is alone then.
#[test]
fn two_shards_begin_at_once() {
    model(|| {
        let machine = Machine::new(config(1000, 1), 2).unwrap();
        machine.trouble();
        let machine = Arc::new(machine);
        let other = apart(&machine, |machine| on(machine, 1, Outcome::Success));
        on(&machine, 0, Outcome::Success);
        other.join().unwrap();
        for shard in [0, 1, 0] {
            on(&machine, shard, FAILURE);
            on(&machine, shard, Outcome::Success);
        }
        let status = machine.status(Time::ORIGIN);
        assert_eq!((status.window_calls, status.window_failures, status.consecutive_failures), (4, 2, 0));
        assert_eq!((status.successes, status.failures), (5, 3));
    });
}
