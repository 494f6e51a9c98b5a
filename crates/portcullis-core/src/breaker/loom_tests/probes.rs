//! The permits of a half-open breaker, and who decides what comes after.

use super::*;

/// T32: half-open admits as many as there are permits, whoever makes it half-open, and that is told once.
#[test]
fn half_open_admits_its_permits_and_no_more() {
    model(|| {
        let (machine, world) = (machine(config(1, 2)), Witness::default());
        machine.trip(&world);
        let threads = [1, 2].map(|_| {
            let world = world.at(1);
            apart(&machine, move |machine| machine.admit(0, &world).is_ok())
        });
        let here = machine.admit(0, &world.at(1)).is_ok();
        let admitted = threads.into_iter().map(|thread| thread.join().unwrap());
        assert_eq!(admitted.chain([here]).filter(|&ok| ok).count(), 2);
        let status = machine.status(millis(1));
        assert_eq!((status.probes_in_flight, status.transitions, status.refused), (2, 2, 1));
        world.saw_all(&status);
    });
}

/// Permits that change while it becomes half-open: never more probes than the more generous of the two.
#[test]
fn permits_that_change_are_not_added_up() {
    model(|| {
        let machine = tripped(2);
        let threads = [1, 2].map(|_| apart(&machine, |machine| admit(machine, 1).is_ok()));
        machine.settings().replace(config(1, 1)).unwrap();
        let here = admit(&machine, 1).is_ok();
        let admitted = threads.into_iter().map(|thread| thread.join().unwrap());
        let admitted = admitted.chain([here]).filter(|&ok| ok).count();
        assert!((1..=2).contains(&admitted), "{admitted} probes");
        assert_eq!(machine.status(millis(1)).probes_in_flight as usize, admitted);
    });
}

/// The same when there are to be more: those that were one are never three.
#[test]
fn permits_that_grow_are_not_added_up() {
    model(|| {
        let machine = tripped(1);
        let other = apart(&machine, |machine| u32::from(admit(machine, 1).is_ok()));
        machine.reconfigure(config(1, 2), &at(1)).unwrap();
        let here: u32 = [1, 2].map(|_| u32::from(admit(&machine, 1).is_ok())).iter().sum();
        let admitted = here + other.join().unwrap();
        assert!((1..=2).contains(&admitted), "{admitted} probes");
        assert_eq!(machine.status(millis(1)).probes_in_flight, admitted);
    });
}

/// But a half-open state that has begun keeps the permits that it began with.
#[test]
fn a_half_open_state_keeps_its_permits() {
    model(|| {
        let machine = tripped(1);
        assert!(admit(&machine, 1).is_ok());
        let other = apart(&machine, |machine| admit(machine, 1).is_ok());
        machine.reconfigure(config(1, 2), &at(1)).unwrap();
        let admitted = [admit(&machine, 1).is_ok(), other.join().unwrap()];
        assert_eq!(admitted, [false, false], "one permit, and it is taken");
    });
}

/// A permit that was given back is there for the next, and once.
#[test]
fn a_permit_given_back_is_taken_once() {
    model(|| {
        let machine = tripped(1);
        let probe = admit(&machine, 1).unwrap();
        let other = apart(&machine, |machine| admit(machine, 1).is_ok());
        settle(&machine, probe, Outcome::Abandoned, 1);
        let here = admit(&machine, 1).is_ok();
        assert!(other.join().unwrap() ^ here, "one of the two has it");
    });
}

/// A lease that is changed under a probe is not the probe's: its permit comes back all the same.
#[test]
fn a_permit_comes_back_though_leases_have_changed() {
    model(|| {
        let machine = tripped(1);
        let probe = admit(&machine, 1).unwrap();
        let other = apart(&machine, move |machine| settle(machine, probe, Outcome::Abandoned, 1));
        let lease = Duration::from_millis(50);
        machine.reconfigure(Config { lease, ..config(1, 1) }, &at(1)).unwrap();
        other.join().unwrap();
        assert!(admit(&machine, 1).is_ok_and(|probe| probe.is_probe()));
    });
}

/// A thread that slept through the end of a half-open state takes no permit of the next one.
#[test]
fn a_late_taker_takes_nothing_from_a_newer_epoch() {
    model(|| {
        let machine = tripped(1);
        let late = apart(&machine, |machine| drop(admit(machine, 1)));
        machine.trip(&at(1));
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
    model(|| {
        let machine = tripped(1);
        let probe = admit(&machine, 1).unwrap();
        let late = apart(&machine, |machine| settle(machine, probe, Outcome::Ignored, 1));
        machine.trip(&at(1));
        let first = admit(&machine, 2);
        assert!(first.is_ok_and(|probe| probe.is_probe()), "the permit of the new epoch is free");
        late.join().unwrap();
        assert!(admit(&machine, 2).is_err(), "and then taken");
        let status = machine.status(millis(2));
        assert_eq!(status.ignored + status.late, 1);
    });
}

/// Two probes disagree: the first decides, the second is late or lost, and nothing happens twice.
#[test]
fn of_two_probes_one_decides() {
    model(|| {
        let (machine, world) = (machine(config(1, 2)), Witness::default());
        machine.trip(&world);
        let [good, bad] = [1, 2].map(|_| machine.admit(0, &world.at(1)).unwrap());
        let here = world.at(1);
        let there = here.clone();
        let other = apart(&machine, move |machine| machine.settle(0, bad, FAILURE, &there));
        machine.settle(0, good, Outcome::Success, &here);
        other.join().unwrap();
        let status = machine.status(millis(1));
        let expected = if status.state == State::Closed { (3, 1) } else { (3, 2) };
        assert_eq!((status.transitions, status.trips), expected);
        assert_eq!(status.successes + status.failures + status.late, 2);
        world.saw_all(&status);
    });
}

/// Decided by a share of the probes: the last to end sees all, and both may, but it closes once.
#[test]
fn probes_at_once_decide_by_their_share_and_once() {
    model(|| {
        let ratio = Config { probe_ratio: Some(0.6), successes: 2, ..config(1, 2) };
        let machine = opened(ratio);
        let [good, bad] = [1, 2].map(|_| admit(&machine, 1).unwrap());
        let other = apart(&machine, move |machine| settle(machine, bad, FAILURE, 1));
        settle(&machine, good, Outcome::Success, 1);
        other.join().unwrap();
        let status = machine.status(millis(1));
        assert_eq!((status.state, status.transitions), (State::Closed, 3), "half of the two is less");
        assert_eq!((status.successes, status.failures), (1, 1));
    });
}

/// Whoever finds that a probe hangs: it is one failure and one trip.
#[test]
fn a_hung_probe_fails_once() {
    model(|| {
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
    model(|| {
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
        adds_up(&status);
    });
}

/// Half-open for too long, just when the probe succeeds: one of the two decides.
#[test]
fn a_probe_that_ends_with_the_longest_half_open_decides_or_is_late() {
    model(|| {
        let longest = Some(Duration::from_millis(2));
        let machine = opened(Config { max_half_open: longest, ..config(1, 1) });
        let probe = admit(&machine, 1).unwrap();
        let other = apart(&machine, move |machine| settle(machine, probe, Outcome::Success, 3));
        machine.tick(&at(3));
        other.join().unwrap();
        let status = machine.status(millis(3));
        let closed = status.state == State::Closed;
        assert_eq!((status.transitions, status.trips), if closed { (3, 1) } else { (3, 2) });
        assert_eq!((status.successes + status.late, status.failures), (1, 0), "nobody failed");
    });
}

/// What is due is done once, by the tick or by the call that comes at the same time.
#[test]
fn a_tick_and_a_call_make_it_half_open_once() {
    model(|| {
        let (machine, world) = (machine(config(1, 1)), Witness::default());
        machine.trip(&world);
        let there = world.at(1);
        let ticking = apart(&machine, move |machine| machine.tick(&there));
        assert!(machine.admit(0, &world.at(1)).is_ok_and(|call| call.is_probe()));
        let next = ticking.join().unwrap();
        assert!(next.is_none() || next == Some(millis(6)), "when the lease ends, if it saw it");
        let status = machine.status(millis(1));
        assert_eq!((status.state, status.transitions), (State::HalfOpen, 2));
        world.saw_all(&status);
    });
}

/// A lease that is over is one failure, whether the tick or a call finds it.
#[test]
fn a_tick_and_a_call_reopen_once() {
    model(|| {
        let (machine, world) = (machine(config(1, 1)), Witness::default());
        machine.trip(&world);
        let _hangs = machine.admit(0, &world.at(1)).unwrap();
        let there = world.at(6);
        let ticking = apart(&machine, move |machine| machine.tick(&there));
        assert!(machine.admit(0, &world.at(6)).is_err());
        assert!(ticking.join().unwrap() <= Some(millis(7)), "when it may probe, or at once");
        let status = machine.status(millis(6));
        assert_eq!((status.state, status.failures, status.trips), (State::Open, 1, 2));
        world.saw_all(&status);
    });
}

/// A probe that ends late does not put the count of a newer epoch back to its own.
#[test]
fn a_late_probe_counts_for_nothing_in_a_newer_epoch() {
    model(|| {
        let machine = opened(Config { successes: 2, ..config(1, 2) });
        let late = admit(&machine, 1).unwrap();
        let ending = apart(&machine, move |machine| settle(machine, late, Outcome::Success, 1));
        machine.trip(&at(1));
        for probe in [1, 2].map(|_| admit(&machine, 2).unwrap()) {
            settle(&machine, probe, Outcome::Success, 2);
        }
        ending.join().unwrap();
        assert_eq!(machine.state(), State::Closed);
    });
}
