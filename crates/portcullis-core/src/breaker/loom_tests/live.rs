//! Rules that change while calls flow.

use super::{
    super::{Settings, SlowRule},
    *,
};

/// A clock read at both ends of each call.
fn slow() -> Option<SlowRule> {
    Some(SlowRule::after(Duration::from_millis(100)))
}

/// Whether an admission looks at the clock.
fn is_timed(machine: &Machine) -> bool {
    machine.is_closed() && machine.admit_closed().is_none()
}

/// Changes the rules while `outcome` is on its way, and says what is there then.
fn changed(before: Config, after: Config, outcome: Outcome) -> Status {
    let machine = machine(before);
    call(&machine, Outcome::Success, 0);
    call(&machine, FAILURE, 0);
    let other = apart(&machine, move |machine| call(machine, outcome, 0));
    machine.reconfigure(after, &at(0)).unwrap();
    other.join().unwrap();
    let status = machine.status(Time::ORIGIN);
    assert_eq!((status.window_calls, status.successes + status.failures, status.late), (3, 3, 0));
    status
}

/// Another span: what was counted in the old buckets and what comes meanwhile are all in the new ones.
#[test]
fn a_success_is_kept_while_the_time_window_changes() {
    model(|| {
        let status = changed(timed(), Config { time_window: Some(over(8)), ..timed() }, Outcome::Success);
        assert_eq!(recent_calls(&status), 3);
    });
}

/// The same long after the origin, which old and new buckets do not reach back to.
#[test]
fn a_late_success_is_kept_while_the_time_window_changes() {
    model(|| {
        let machine = machine(timed());
        call(&machine, Outcome::Success, 1000);
        let other = apart(&machine, move |machine| call(machine, Outcome::Success, 1000));
        machine.reconfigure(Config { time_window: Some(over(8)), ..timed() }, &at(1000)).unwrap();
        other.join().unwrap();
        call(&machine, FAILURE, 1001);
        assert_eq!(recent_calls(&machine.status(millis(1001))), 3);
        call(&machine, Outcome::Success, 1001);
        assert_eq!(recent_calls(&machine.status(millis(1001))), 4);
    });
}

/// The same for a failure.
#[test]
fn a_failure_is_kept_while_the_time_window_changes() {
    model(|| {
        let status = changed(timed(), Config { time_window: Some(over(8)), ..timed() }, FAILURE);
        assert_eq!((recent_calls(&status), status.recent.map(|seen| seen.failures)), (3, Some(2)));
    });
}

/// The time window comes: the window of the last calls does not notice.
#[test]
fn a_success_is_kept_while_a_time_window_comes() {
    model(|| {
        let status = changed(config(1000, 1), timed(), Outcome::Success);
        assert!(status.recent.is_some());
    });
}

/// And when it goes.
#[test]
fn a_success_is_kept_while_a_time_window_goes() {
    model(|| {
        let status = changed(timed(), config(1000, 1), Outcome::Success);
        assert_eq!(status.recent, None);
    });
}

/// Whether admissions look at the clock is what the rules say, whatever was written meanwhile.
#[test]
fn the_word_says_whether_time_counts_after_a_trip() {
    model(|| {
        let machine = breaker(1, 1);
        let bad = admit(&machine, 0).unwrap();
        let other = apart(&machine, move |machine| settle(machine, bad, FAILURE, 0));
        machine.reconfigure(Config { slow_calls: slow(), ..config(1, 1) }, &at(0)).unwrap();
        other.join().unwrap();
        let status = machine.status(Time::ORIGIN);
        assert_eq!((status.state, status.trips), (State::Open, 1));
        machine.reset(&at(0));
        assert!(is_timed(&machine));
    });
}

/// A change of the rules, against a call that makes it half-open: the new word has the new flag.
#[test]
fn a_flag_is_kept_by_who_moves_on_from_an_older_word() {
    model(|| {
        let machine = tripped(1);
        let other = apart(&machine, |machine| drop(admit(machine, 1)));
        machine.reconfigure(Config { slow_calls: slow(), ..config(1, 1) }, &at(0)).unwrap();
        other.join().unwrap();
        assert_eq!(machine.state(), State::HalfOpen);
        machine.reset(&at(1));
        assert!(is_timed(&machine));
    });
}

/// A failure that sees new rules first, and opens by them: the flag survives its own transition.
#[test]
fn a_failure_that_opens_by_new_rules_keeps_their_flag() {
    model(|| {
        let machine = breaker(1000, 1);
        call(&machine, FAILURE, 0);
        let bad = admit(&machine, 0).unwrap();
        let other = apart(&machine, |machine| drop(admit(machine, 0)));
        machine.settings().replace(Config { slow_calls: slow(), ..config(1, 1) }).unwrap();
        settle(&machine, bad, FAILURE, 0);
        other.join().unwrap();
        assert_eq!(machine.state(), State::Open);
        machine.reset(&at(0));
        assert!(is_timed(&machine));
    });
}

/// Two changes at once: the word, the windows and the settings agree on which came last.
#[test]
fn of_two_changes_the_last_is_everywhere() {
    model(|| {
        let machine = breaker(1000, 1);
        call(&machine, FAILURE, 0);
        let other = apart(&machine, |machine| {
            machine.reconfigure(Config { slow_calls: slow(), ..timed() }, &at(0)).unwrap();
        });
        machine.reconfigure(config(1000, 1), &at(0)).unwrap();
        other.join().unwrap();
        let timed = machine.config().slow_calls.is_some();
        assert_eq!((is_timed(&machine), machine.status(Time::ORIGIN).recent.is_some()), (timed, timed));
    });
}

/// Settings of many breakers, of which nobody told this one: its next failure sees them, be it the first.
#[test]
fn a_failure_sees_what_changed_before_it() {
    model(|| {
        let settings = std::sync::Arc::new(Settings::new(config(1000, 1)).unwrap());
        let machine = Arc::new(Machine::small(settings.clone()));
        let other = apart(&machine, |machine| call(machine, FAILURE, 0));
        settings.replace(Config { slow_calls: slow(), ..timed() }).unwrap();
        other.join().unwrap();
        call(&machine, FAILURE, 0);
        assert!(is_timed(&machine), "as the slow rule needs");
        call(&machine, Outcome::Success, 0);
        let recent = machine.status(Time::ORIGIN).recent.unwrap();
        assert_eq!(recent.calls - recent.failures, 1);
    });
}

/// A change of the rules neither undoes a transition nor is undone by one.
#[test]
fn a_change_and_an_order_both_hold() {
    model(|| {
        let (machine, world) = (breaker(1000, 1), Witness::default());
        let there = world.clone();
        let other = apart(&machine, move |machine| machine.isolate(None, &there));
        machine.reconfigure(Config { slow_calls: slow(), ..config(1000, 1) }, &world).unwrap();
        other.join().unwrap();
        assert_eq!(machine.state(), State::Isolated);
        world.saw_all(&machine.status(Time::ORIGIN));
        machine.release(&world);
        assert!(is_timed(&machine));
    });
}

/// Fewer failures in a row are allowed from now on: the next failure is judged by that.
#[test]
fn a_failure_after_the_change_is_judged_by_it() {
    model(|| {
        let machine = breaker(1000, 1);
        let other = apart(&machine, |machine| call(machine, FAILURE, 0));
        machine.reconfigure(config(2, 1), &at(0)).unwrap();
        other.join().unwrap();
        call(&machine, FAILURE, 0);
        let status = machine.status(Time::ORIGIN);
        assert_eq!((status.state, status.failures, status.trips), (State::Open, 2, 1));
    });
}
