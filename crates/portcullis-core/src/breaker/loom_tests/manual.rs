//! What is done by hand, while calls flow.

use super::{super::Mode, *};

/// A reset ends the epoch: what fails meanwhile opens before it, or is late.
#[test]
fn a_reset_wins_over_a_failure_of_before() {
    model(|| {
        let (machine, world) = (breaker(1, 1), Witness::default());
        let (call, there) = (admit(&machine, 0).unwrap(), world.clone());
        let failing = apart(&machine, move |machine| machine.settle(0, call, FAILURE, &there));
        machine.reset(&world);
        failing.join().unwrap();
        let status = machine.status(Time::ORIGIN);
        assert_eq!((status.state, status.window_calls), (State::Closed, 0));
        assert_eq!(status.transitions, status.trips + 1);
        assert_eq!(status.failures + status.late, 1);
        world.saw_all(&status);
    });
}

/// Isolated is isolated, whatever fails meanwhile.
#[test]
fn isolation_holds_against_a_failure() {
    model(|| {
        let machine = breaker(1, 1);
        let call = admit(&machine, 0).unwrap();
        let failing = apart(&machine, move |machine| settle(machine, call, FAILURE, 0));
        machine.isolate(None, &at(0));
        failing.join().unwrap();
        let status = machine.status(Time::ORIGIN);
        assert_eq!((status.state, status.transitions), (State::Isolated, status.trips + 1));
        assert!(machine.is_refusing(&at(9)));
    });
}

/// The same for an order that lets calls through: nothing that was admitted before opens it.
#[test]
fn an_order_to_stay_closed_holds_against_a_failure() {
    model(|| {
        let machine = breaker(1, 1);
        let call = admit(&machine, 0).unwrap();
        let failing = apart(&machine, move |machine| settle(machine, call, FAILURE, 0));
        machine.override_with(State::ForcedClosed, None, &at(0));
        assert!(admit(&machine, 0).is_ok_and(|call| call.is_bypass()));
        failing.join().unwrap();
        assert_eq!(machine.state(), State::ForcedClosed);
    });
}

/// To be only looked at is such an order too: failures are seen, and open nothing.
#[test]
fn a_breaker_that_only_measures_never_opens() {
    model(|| {
        let machine = breaker(1, 1);
        machine.override_with(State::MetricsOnly, None, &at(0));
        let threads = [1, 2].map(|_| apart(&machine, |machine| call(machine, FAILURE, 0)));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let status = machine.status(Time::ORIGIN);
        assert_eq!((status.state, status.transitions), (State::MetricsOnly, 1));
        assert_eq!((status.failures, status.window_failures, status.late), (2, 2, 0));
        adds_up(&status);
    });
}

/// An isolation that is prolonged just as it ends: the order is the last word.
#[test]
fn an_order_prolonged_at_its_end_holds() {
    model(|| {
        let machine = breaker(1, 1);
        machine.isolate(Some(Duration::from_millis(1)), &at(0));
        let coming = apart(&machine, |machine| admit(machine, 1).is_ok());
        machine.isolate(None, &at(1));
        assert_eq!(machine.state(), State::Isolated);
        let _ = coming.join().unwrap();
        assert_eq!(machine.state(), State::Isolated, "nobody took that back");
    });
}

/// The same against a tick, and the order is told as often as it was given anew.
#[test]
fn an_order_prolonged_under_a_tick_holds() {
    model(|| {
        let (machine, world) = (breaker(1, 1), Witness::default());
        machine.isolate(Some(Duration::from_millis(1)), &world);
        let there = world.at(1);
        let ticking = apart(&machine, move |machine| machine.tick(&there));
        machine.isolate(None, &world.at(1));
        ticking.join().unwrap();
        let status = machine.status(millis(1));
        assert_eq!((status.state, status.override_ends_in), (State::Isolated, None));
        assert!(status.transitions == 1 || status.transitions == 3);
        world.saw_all(&status);
    });
}

/// An override ends once, however many calls find it over.
#[test]
fn an_override_ends_once() {
    model(|| {
        let (machine, world) = (breaker(1, 1), Witness::default());
        machine.isolate(Some(Duration::from_millis(1)), &world);
        let there = world.at(1);
        let other = apart(&machine, move |machine| machine.admit(0, &there).is_ok());
        assert!(machine.admit(0, &world.at(1)).is_ok() && other.join().unwrap());
        let status = machine.status(millis(1));
        assert_eq!((status.state, status.transitions), (State::Closed, 2));
        world.saw_all(&status);
    });
}

/// Tripped again just as it may probe: after the trip it is open, and stays so.
#[test]
fn an_open_time_prolonged_at_its_end_holds() {
    model(|| {
        let machine = tripped(1);
        let coming = apart(&machine, |machine| drop(admit(machine, 1)));
        machine.trip(&at(1));
        assert_eq!(machine.state(), State::Open);
        coming.join().unwrap();
        assert_eq!(machine.state(), State::Open, "until 2 ms");
    });
}

/// Two orders at once: the state is one of the two, and is the one that was told last.
#[test]
fn two_orders_are_two_transitions() {
    model(|| {
        let (machine, world) = (breaker(1, 1), Witness::default());
        let there = world.clone();
        let other = apart(&machine, move |machine| machine.isolate(None, &there));
        machine.override_with(State::Disabled, None, &world);
        other.join().unwrap();
        let status = machine.status(Time::ORIGIN);
        assert!(matches!(status.state, State::Isolated | State::Disabled));
        assert_eq!(status.transitions, 2);
        world.saw_all(&status);
    });
}

/// Two modes at once: whichever stays, the state is that mode's.
#[test]
fn the_state_follows_the_mode_that_stays() {
    model(|| {
        let machine = breaker(1, 1);
        let other = apart(&machine, |machine| machine.set_mode(Mode::Disabled, &at(0)).unwrap());
        machine.set_mode(Mode::Shadow, &at(0)).unwrap();
        other.join().unwrap();
        let status = machine.status(Time::ORIGIN);
        let expected = if status.mode == Mode::Disabled { State::Disabled } else { State::Closed };
        assert_eq!(status.state, expected, "in mode {:?}", status.mode);
    });
}

/// Another mode, while the other rules are replaced: neither undoes the other.
#[test]
fn a_mode_does_not_undo_other_rules() {
    model(|| {
        let machine = breaker(1, 1);
        let other = apart(&machine, |machine| machine.set_mode(Mode::Shadow, &at(0)).unwrap());
        machine.settings().replace(Config { window: 9, ..config(1, 1) }).unwrap();
        other.join().unwrap();
        assert_eq!(machine.config().window, 9);
    });
}
