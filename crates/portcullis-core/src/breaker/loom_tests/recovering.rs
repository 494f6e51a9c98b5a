//! The way back to closed, and calls that pass though they were to be refused.

use super::{super::Mode, *};

/// Recovering since 1 ms, for 4 ms, under a world that counts.
fn recovering(world: &Witness) -> Arc<Machine> {
    let machine = machine(Config { ramp: Some(Duration::from_millis(4)), ..config(1, 1) });
    machine.trip(world);
    let probe = machine.admit(0, &world.at(1)).unwrap();
    machine.settle(0, probe, Outcome::Success, &world.at(1));
    assert_eq!(machine.state(), State::Recovering);
    machine
}

/// Two calls of the ramp, admitted at its end.
fn ramp_calls(machine: &Machine, world: &Witness) -> [Admission; 2] {
    [1, 2].map(|_| machine.admit(0, &world.at(5)).unwrap())
}

/// After the ramp, one call succeeds and one fails: the first to end decides, and alone.
#[test]
fn the_end_of_a_ramp_is_decided_once() {
    model(|| {
        let world = Witness::default();
        let machine = recovering(&world);
        let [good, bad] = ramp_calls(&machine, &world);
        let there = world.at(5);
        let other = apart(&machine, move |machine| machine.settle(0, bad, FAILURE, &there));
        machine.settle(0, good, Outcome::Success, &world.at(5));
        other.join().unwrap();
        let status = machine.status(millis(5));
        let expected = if status.state == State::Closed { (4, 1) } else { (4, 2) };
        assert_eq!((status.transitions, status.trips), expected);
        assert_eq!(status.successes + status.failures + status.late, 3);
        world.saw_all(&status);
    });
}

/// After the ramp, two successes and a tick close it once.
#[test]
fn a_ramp_ends_once() {
    model(|| {
        let world = Witness::default();
        let machine = recovering(&world);
        let [one, two] = ramp_calls(&machine, &world);
        let (there, ticks) = (world.at(5), world.at(5));
        let other = apart(&machine, move |machine| machine.settle(0, one, Outcome::Success, &there));
        let ticking = apart(&machine, move |machine| machine.tick(&ticks));
        machine.settle(0, two, Outcome::Success, &world.at(5));
        other.join().unwrap();
        assert_eq!(ticking.join().unwrap(), None);
        let status = machine.status(millis(5));
        assert_eq!((status.state, status.transitions), (State::Closed, 4));
        assert_eq!(status.successes + status.late, 3);
        world.saw_all(&status);
    });
}

/// Two failures in the ramp open it once.
#[test]
fn a_ramp_fails_once() {
    model(|| {
        let world = Witness::default();
        let machine = recovering(&world);
        let calls = ramp_calls(&machine, &world);
        let threads = calls.map(|call| {
            let there = world.at(5);
            apart(&machine, move |machine| machine.settle(0, call, FAILURE, &there))
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let status = machine.status(millis(5));
        assert_eq!((status.state, status.trips, status.transitions), (State::Open, 2, 4));
        assert_eq!(status.failures + status.late, 2);
        world.saw_all(&status);
    });
}

/// Each call that passes an open breaker in shadow mode is counted once, and its failure changes nothing.
#[test]
fn bypasses_are_counted_and_change_nothing() {
    model(|| {
        let machine = opened(Config { mode: Mode::Shadow, ..config(1, 1) });
        let threads = [1, 2].map(|_| apart(&machine, |machine| call(machine, FAILURE, 0)));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let status = machine.status(Time::ORIGIN);
        assert_eq!((status.bypassed, status.refused, status.failures), (2, 0, 2));
        assert_eq!((status.state, status.trips, status.transitions), (State::Open, 1, 1));
        adds_up(&status);
    });
}

/// While the mode changes, each call is refused or passes: one of the two, and counted as that.
#[test]
fn under_a_changing_mode_each_call_is_refused_or_passes() {
    model(|| {
        let machine = tripped(1);
        let other = apart(&machine, |machine| admit(machine, 0).is_ok());
        machine.set_mode(Mode::Shadow, &at(0)).unwrap();
        assert!(admit(&machine, 0).is_ok_and(|call| call.is_bypass()));
        let passed = u64::from(other.join().unwrap());
        let status = machine.status(Time::ORIGIN);
        assert_eq!((status.bypassed, status.refused), (1 + passed, 1 - passed));
        adds_up(&status);
        assert_eq!(status.transitions, 1);
    });
}

/// A bypass that ends after the recovery is no success of the new epoch's window, but of the totals.
#[test]
fn a_bypass_is_in_no_window() {
    model(|| {
        let machine = opened(Config { mode: Mode::Shadow, ..config(1, 1) });
        let bypass = admit(&machine, 0).unwrap();
        let other = apart(&machine, move |machine| settle(machine, bypass, FAILURE, 0));
        machine.reset(&at(0));
        other.join().unwrap();
        let status = machine.status(Time::ORIGIN);
        assert_eq!((status.state, status.window_calls, status.failures), (State::Closed, 0, 1));
    });
}
