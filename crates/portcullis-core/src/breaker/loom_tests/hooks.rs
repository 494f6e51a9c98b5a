//! T39: what a breaker calls may use the breaker: listeners, rules and open times.

use std::sync::{Arc as Shared, OnceLock, Weak};

use super::{
    super::{OpenTime, TripRule},
    *,
};

/// Uses the breaker in every way, once per transition, but not for those that it causes itself.
struct Meddler {
    machine: Arc<Machine>,
    told: Shared<Plain>,
    busy: Shared<Plain>,
    time: u64,
}

impl Env for Meddler {
    fn now(&self) -> Time {
        millis(self.time)
    }

    fn moved(&self, transition: &Transition) {
        self.told.fetch_add(1, SeqCst);
        if self.busy.swap(1, SeqCst) == 0 {
            let status = self.machine.status(self.now());
            assert!(status.transitions > 0 && transition.from != transition.to);
            let _ = self.machine.admit(0, self);
            self.machine.trip(self);
            self.machine.reset(self);
            self.machine.tick(self);
            self.busy.store(0, SeqCst);
        }
    }
}

/// A listener that looks, calls, trips and resets: nobody waits for himself, and every transition is told.
#[test]
fn a_listener_may_use_the_breaker() {
    model(|| {
        let machine = breaker(1, 1);
        let world = |_| Meddler {
            machine: Arc::clone(&machine),
            told: Shared::default(),
            busy: Shared::default(),
            time: 0,
        };
        let [here, there] = [1, 2].map(world);
        let told = [Shared::clone(&here.told), Shared::clone(&there.told)];
        let calls = [1, 2].map(|_| admit(&machine, 0).unwrap());
        let [one, two] = calls;
        let other = spawn(move || there.machine.settle(0, one, FAILURE, &there));
        machine.settle(0, two, FAILURE, &here);
        other.join().unwrap();
        let told: u64 = told.iter().map(|told| told.load(SeqCst)).sum();
        assert_eq!(told, machine.status(Time::ORIGIN).transitions);
    });
}

/// A breaker whose functions know it.
#[derive(Clone, Default)]
struct Knot(Shared<OnceLock<Weak<Machine>>>);

impl Knot {
    /// Looks at the breaker, and says how many failures it has.
    fn look(&self) -> u64 {
        let machine = self.0.get().and_then(Weak::upgrade);
        machine.map_or(0, |machine| machine.status(Time::ORIGIN).failures)
    }

    fn tie(&self, config: Config) -> Shared<Machine> {
        let machine = Shared::new(Machine::new(config, 1).unwrap());
        self.0.set(Shared::downgrade(&machine)).unwrap();
        machine
    }
}

fn settles(machine: &Shared<Machine>, call: Admission, world: &Witness) -> thread::JoinHandle<()> {
    let (machine, world) = (Shared::clone(machine), world.clone());
    spawn(move || machine.settle(0, call, FAILURE, &world))
}

/// A rule that looks at the breaker which asks it: it is asked outside of the lock, and opens once.
#[test]
fn a_rule_may_look_at_the_breaker() {
    model(|| {
        let (knot, world) = (Knot::default(), Witness::default());
        let eye = knot.clone();
        let rule = TripRule::new(move |seen| seen.calls.failures >= 1 && eye.look() >= 1);
        let machine = knot.tie(Config { rule: Some(rule), ..config(1000, 1) });
        let calls = [1, 2].map(|_| admit(&machine, 0).unwrap());
        let threads = calls.map(|call| settles(&machine, call, &world));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let status = machine.status(Time::ORIGIN);
        assert_eq!((status.state, status.trips, status.transitions), (State::Open, 1, 1));
        assert_eq!(status.failures + status.late, 2);
        world.saw_all(&status);
    });
}

/// What a rule said of an epoch that has ended since does not open the next one.
#[test]
fn a_rule_does_not_open_a_newer_epoch() {
    model(|| {
        let rule = TripRule::new(|_| true);
        let machine = machine(Config { rule: Some(rule), ..config(1000, 1) });
        let bad = admit(&machine, 0).unwrap();
        let failing = apart(&machine, move |machine| settle(machine, bad, FAILURE, 0));
        machine.reset(&at(0));
        failing.join().unwrap();
        let status = machine.status(Time::ORIGIN);
        assert_eq!((status.state, status.transitions), (State::Closed, status.trips + 1));
        assert_eq!(status.failures + status.late, 1);
    });
}

/// Open times that look at the breaker, which one of two failures asks for.
fn looking(config: Config) -> Shared<Machine> {
    let knot = Knot::default();
    let eye = knot.clone();
    let time = OpenTime::new(move |_| {
        eye.look();
        Duration::from_millis(3)
    });
    knot.tie(Config { open_time: Some(time), ..config })
}

/// An open time that looks at the breaker: it is asked outside of the lock, and it opens once.
#[test]
fn an_open_time_may_look_at_the_breaker() {
    model(|| {
        let (machine, world) = (looking(config(1, 1)), Witness::default());
        let calls = [1, 2].map(|_| admit(&machine, 0).unwrap());
        let threads = calls.map(|call| settles(&machine, call, &world));
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let status = machine.status(Time::ORIGIN);
        assert_eq!((status.trips, status.trips_in_a_row, status.transitions), (1, 1, 1));
        assert_eq!(status.retry_in, Some(Duration::from_millis(3)));
        assert_eq!(status.failures + status.late, 2);
        world.saw_all(&status);
    });
}

/// A probe that hangs is one failure, though two find it while the open time is being asked for.
#[test]
fn a_hung_probe_fails_once_under_an_open_time() {
    model(|| {
        let machine = looking(config(1, 1));
        machine.trip(&at(0));
        let _hangs = admit(&machine, 3).unwrap();
        let there = Shared::clone(&machine);
        let other = spawn(move || admit(&there, 8).is_ok());
        assert!(admit(&machine, 8).is_err() && !other.join().unwrap());
        let status = machine.status(millis(8));
        assert_eq!((status.trips, status.failures), (2, 1));
        adds_up(&status);
    });
}

/// A trip by hand is not lost when the state moves while the open time is being asked for.
#[test]
fn a_trip_by_hand_holds_under_an_open_time() {
    model(|| {
        let machine = looking(config(1, 1));
        machine.trip(&at(0));
        let probe = admit(&machine, 3).unwrap();
        let there = Shared::clone(&machine);
        let other = spawn(move || settle(&there, probe, Outcome::Success, 3));
        machine.trip(&at(3));
        other.join().unwrap();
        assert_eq!(machine.state(), State::Open);
    });
}

/// A world that looks at the breaker before it waives a refusal.
struct Lenient(Arc<Machine>);

impl Env for Lenient {
    fn now(&self) -> Time {
        Time::ORIGIN
    }

    fn is_retry(&self) -> bool {
        self.0.status(Time::ORIGIN).state == State::Open
    }

    fn waives(&self, state: State) -> bool {
        self.0.status(Time::ORIGIN).state == state
    }

    fn spared(&self, refusal: &Refusal) {
        assert_eq!(self.0.status(Time::ORIGIN).state, refusal.evidence.state);
    }
}

/// Who waives a refusal may look at the breaker first; what is waived is counted as that.
#[test]
fn a_world_that_waives_may_look_at_the_breaker() {
    model(|| {
        let machine = opened(Config { only_retries: true, ..config(1, 1) });
        let there = Lenient(Arc::clone(&machine));
        let other = spawn(move || there.0.admit(0, &there).is_ok_and(|call| call.is_bypass()));
        machine.trip(&at(0));
        assert!(other.join().unwrap(), "open, and so waived");
        let status = machine.status(Time::ORIGIN);
        assert_eq!((status.bypassed, status.refused), (1, 0));
        adds_up(&status);
    });
}
