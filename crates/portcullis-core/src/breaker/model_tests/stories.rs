//! Histories that are too long, or too telling, to be left to chance.

use std::{sync::Arc, time::Duration};

use crate::{
    Failure, FailureKind, Outcome, Time,
    breaker::{Config, Env, Machine, Mode, OpenTime, Settings, State, TimeRule, Transition, TripRule},
};

const FAILURE: Outcome = Outcome::Failure(Failure::new(FailureKind::Other));
const SECOND: Duration = Duration::from_secs(1);

/// The open time does not grow, and nothing is left to chance.
fn steady() -> Config {
    Config { open_factor: 1.0, open_jitter: 0.0, ..Config::default() }
}

/// Calls at time zero; how many until the breaker opens.
fn failures_to_open(machine: &Machine) -> usize {
    let now = || Time::ORIGIN;
    let mut failures = 0;
    while let Ok(call) = machine.admit(failures, &now) {
        machine.settle(failures, call, FAILURE, &now);
        failures += 1;
    }
    failures
}

fn succeed(machine: &Machine, times: usize, now: Time) {
    for shard in 0..times {
        let call = machine.admit(shard, &|| now).unwrap();
        machine.settle(shard, call, Outcome::Success, &|| now);
    }
}

/// T01: a window that only grew took 10,000 failures to open after 10,000 successes.
#[test]
fn t01_opens_after_half_of_the_last_hundred() {
    let config = Config { consecutive_failures: None, ..Config::default() };
    let machine = Machine::new(config, 8).unwrap();
    succeed(&machine, 10_000, Time::ORIGIN);
    assert_eq!(failures_to_open(&machine), 50);
}

/// Two of three are two thirds: a ratio kept in millionths needed all three.
#[test]
fn a_ratio_is_met_by_exactly_that_share() {
    for (failures, of) in [(1u32, 3u32), (2, 3), (5, 7), (3, 30), (29, 100), (333_333, 999_999)] {
        let ratio = f64::from(failures) / f64::from(of);
        let rules = Config { consecutive_failures: None, failure_ratio: Some(ratio), ..Config::default() };
        let machine = Machine::new(Config { window: of, minimum_calls: of, ..rules }, 1).unwrap();
        succeed(&machine, of as usize, Time::ORIGIN);
        assert_eq!(failures_to_open(&machine), failures as usize, "{failures} of {of}");
    }
}

/// The share of probes that may fail is as exact: a product of the share and their number was not.
#[test]
fn a_share_of_probes_is_met_by_exactly_that_share() {
    for ended in 1..=60u32 {
        for failures in 1..=ended {
            let probe_ratio = Some(f64::from(failures) / f64::from(ended));
            let config = Config { probe_ratio, permits: 1, successes: ended, ..steady() };
            let machine = Machine::new(config, 1).unwrap();
            machine.trip(&|| Time::ORIGIN);
            let now = || Time::ORIGIN + 5 * SECOND;
            for probe in 0..ended {
                let call = machine.admit(0, &now).unwrap();
                machine.settle(0, call, if probe < failures { FAILURE } else { Outcome::Success }, &now);
            }
            assert_eq!(machine.state(), State::Open, "{failures} of {ended} are not less");
        }
    }
}

/// Fails every probe, so that each open time ends with another. Two transitions a round.
fn keep_failing(machine: &Machine, rounds: u64) -> Time {
    let open_for = machine.config().open_for;
    let mut now = Time::ORIGIN;
    for _ in 0..rounds {
        now = now + open_for;
        let probe = machine.admit(0, &|| now).unwrap();
        machine.settle(0, probe, FAILURE, &|| now);
    }
    now
}

/// Epochs are compared within half of their range: what an outage of two days left behind looked newer
/// than the recovery, whose successes and failures then counted for nothing.
#[test]
fn recovers_and_trips_again_after_any_length_of_outage() {
    // 16,384 rounds are half of the range; 32,766 end in the very epoch in which the outage began.
    for rounds in [1, 16_383, 16_384, 16_385, 20_000, 32_765, 32_766, 32_767, 40_000] {
        let machine = Machine::new(steady(), 2).unwrap();
        assert_eq!(failures_to_open(&machine), 5);
        succeed(&machine, 3, Time::ORIGIN + 5 * SECOND);
        succeed(&machine, 10, Time::ORIGIN);
        assert_eq!(failures_to_open(&machine), 5);

        let now = keep_failing(&machine, rounds) + 5 * SECOND;
        succeed(&machine, 3, now);
        assert_eq!(machine.state(), State::Closed, "after {rounds} failed probes");
        succeed(&machine, 7, now);
        let status = machine.status(now);
        assert_eq!((status.window_calls, status.late), (7, 0), "after {rounds} failed probes");
        assert_eq!(failures_to_open(&machine), 5, "after {rounds} failed probes");
    }
}

/// The layer asks `is_refusing` and does not call `admit` while it says yes: leases that last longer than
/// the half-open state may kept it there.
#[test]
fn asking_alone_ends_a_half_open_state_that_lasted_too_long() {
    let max = Some(2 * SECOND);
    let machine = Machine::new(Config { permits: 1, max_half_open: max, ..steady() }, 1).unwrap();
    let at = |millis| move || Time::from_millis(millis);
    machine.trip(&at(0));
    let _hangs = machine.admit(0, &at(5_000)).unwrap();
    let refusing = machine.refusing(&at(11_999)).expect("open since 7 s");
    let refusal = machine.refuse(0, refusing);
    assert_eq!(refusal.retry_after, Some(Duration::from_millis(1)));
    assert_eq!(machine.state(), State::Open);
    assert!(!machine.is_refusing(&at(12_000)));
}

/// Half-open for too long, and the open time that would have followed is over by now too.
#[test]
fn who_asks_when_both_times_are_over_is_not_refused() {
    let config = Config { max_half_open: Some(2 * SECOND), permits: 1, ..steady() };
    let machine = Machine::new(config, 1).unwrap();
    let at = |seconds| move || Time::ORIGIN + seconds * SECOND;
    machine.trip(&at(0));
    let _hangs = machine.admit(0, &at(5)).unwrap();
    assert!(!machine.is_refusing(&at(12)), "open from 7 s to 12 s");
    assert_eq!(machine.status(at(12)()).trips, 2);
}

#[test]
fn the_kinds_of_failures_are_counted_in_the_time_window_from_the_start() {
    let rules = Config { consecutive_failures: None, failure_ratio: None, ..steady() };
    let time_window = Some(TimeRule { minimum_calls: 1_000, ..TimeRule::default() });
    let kind_limits = [(FailureKind::DataLoss, 3)].into();
    let machine = Machine::new(Config { time_window, kind_limits, ..rules }, 1).unwrap();
    let fail = |kind, at: Time| {
        let call = machine.admit(0, &|| at).unwrap();
        machine.settle(0, call, Failure::new(kind).into(), &|| at);
        machine.state()
    };
    for at in 0..2 {
        assert_eq!(fail(FailureKind::DataLoss, Time::ORIGIN + at * SECOND), State::Closed);
        assert_eq!(fail(FailureKind::Timeout, Time::ORIGIN + at * SECOND), State::Closed);
    }
    assert_eq!(fail(FailureKind::DataLoss, Time::ORIGIN + 2 * SECOND), State::Open);
}

/// What a failed probe asked for holds when the probes never come to a decision.
#[test]
fn the_advice_of_a_probe_lengthens_the_open_time_after_a_half_open_state_that_lasted_too_long() {
    let config = Config { probe_ratio: Some(0.5), max_half_open: Some(2 * SECOND), ..steady() };
    let machine = Machine::new(config, 1).unwrap();
    let at = |seconds| move || Time::ORIGIN + seconds * SECOND;
    machine.trip(&at(0));
    let probe = machine.admit(0, &at(5)).unwrap();
    let busy = Failure::new(FailureKind::Unavailable).retry_after(Some(60 * SECOND));
    machine.settle(0, probe, busy.into(), &at(6));
    assert_eq!(machine.state(), State::HalfOpen);
    let refusal = machine.admit(0, &at(7)).unwrap_err();
    assert_eq!(refusal.retry_after, Some(59 * SECOND), "until 60 s after the answer");
}

/// What a keyed policy goes by when it forgets keys.
#[test]
fn a_state_is_due_from_its_end_on() {
    let machine = Machine::new(Config { permits: 1, ..steady() }, 1).unwrap();
    let at = |millis| move || Time::from_millis(millis);
    assert!(!machine.is_due(at(u64::MAX)()), "closed is for ever");
    machine.trip(&at(0));
    assert_eq!([4_999, 5_000, 5_001].map(|millis| machine.is_due(at(millis)())), [false, true, true]);
    let _hangs = machine.admit(0, &at(5_000)).unwrap();
    assert_eq!([14_999, 15_000, 15_001].map(|millis| machine.is_due(at(millis)())), [false, true, true]);
    machine.isolate(None, &at(0));
    assert!(!machine.is_due(at(u64::MAX)()), "until it is released");
}

/// The short way to a refusal is for open breakers alone, and for modes that refuse.
#[test]
fn only_an_open_breaker_that_enforces_refuses_for_long() {
    let machine = Machine::new(Config { permits: 1, ..steady() }, 1).unwrap();
    let refuses = |millis| machine.refusing_for_long(|| Time::from_millis(millis)).is_some();
    assert!(!refuses(0), "closed");
    machine.trip(&|| Time::ORIGIN);
    assert_eq!([0, 4_979, 4_981, 6_000].map(refuses), [true, true, false, false]);
    machine.set_mode(Mode::Shadow, &|| Time::ORIGIN).unwrap();
    assert!(!refuses(0), "nothing is refused");
    machine.set_mode(Mode::Enforce, &|| Time::ORIGIN).unwrap();
    let _probe = machine.admit(0, &|| Time::from_millis(5_000)).unwrap();
    assert!(!refuses(0), "half-open");
}

/// A time, and what the dice show.
struct Dice(Time, f64);

impl Env for Dice {
    fn now(&self) -> Time {
        self.0
    }

    fn random(&self) -> u64 {
        (self.1 * (1u128 << 64) as f64) as u64
    }
}

/// A tenth at first, all at the end, and in between a straight line.
#[test]
fn the_ramp_rises_from_a_tenth_to_all() {
    for (tenths, share) in [(0, 0.1), (5, 0.55), (9, 0.91)] {
        let config = Config { ramp: Some(10 * SECOND), successes: 1, ..steady() };
        let machine = Machine::new(config, 1).unwrap();
        machine.trip(&|| Time::ORIGIN);
        succeed(&machine, 1, Time::ORIGIN + 5 * SECOND);
        assert_eq!(machine.state(), State::Recovering);
        let now = Time::ORIGIN + (5 + tenths) * SECOND;
        assert!(machine.admit(0, &Dice(now, share - 0.001)).is_ok(), "{tenths}");
        let refusal = machine.admit(0, &Dice(now, share + 0.001)).unwrap_err();
        assert_eq!(refusal.retry_after, Some(SECOND), "a tenth of the ramp, or what is left of it");
    }
}

/// A clock that uses the breaker from within its own transitions.
struct Meddler<'a>(&'a Machine);

impl Env for Meddler<'_> {
    fn now(&self) -> Time {
        Time::ORIGIN
    }

    fn moved(&self, transition: &Transition) {
        assert_eq!(self.0.status(Time::ORIGIN).state, transition.to);
        if transition.to == State::Open {
            self.0.close(self);
        }
    }
}

/// What is asked outside of the locks may ask back.
#[test]
fn functions_and_listeners_may_use_the_breaker() {
    let config = Config { consecutive_failures: None, failure_ratio: None, ..steady() };
    let machine = std::sync::Arc::new_cyclic(|this: &std::sync::Weak<Machine>| {
        let (asked, opening) = (this.clone(), this.clone());
        let calls = move |machine: &std::sync::Weak<Machine>| {
            machine.upgrade().unwrap().status(Time::ORIGIN).failures
        };
        let rule = TripRule::new(move |_| calls(&asked) == 3);
        let time = OpenTime::new(move |_| SECOND * calls(&opening) as u32);
        let config = Config { rule: Some(rule), open_time: Some(time), ..config };
        Machine::new(config, 1).unwrap()
    });
    let env = Meddler(&machine);
    for _ in 0..3 {
        let call = machine.admit(0, &env).unwrap();
        machine.settle(0, call, FAILURE, &env);
    }
    let status = machine.status(Time::ORIGIN);
    assert_eq!((status.state, status.trips, status.transitions), (State::Closed, 1, 2));
}

/// Failures were not put into the window of time when the rule for it came after the first failure: they were added the
/// short way, which knows of no other rules.
#[test]
fn a_rule_for_the_last_seconds_that_comes_later_counts_all_failures() {
    let plain = Config { consecutive_failures: None, window: 1_000, minimum_calls: 1_000, ..steady() };
    let rule = TimeRule { span: 60 * SECOND, buckets: 6, failure_ratio: 0.5, minimum_calls: 10 };
    let timed = Config { time_window: Some(rule), ..plain.clone() };
    let settings = Arc::new(Settings::new(plain).unwrap());
    let machine = Machine::with_settings(settings.clone(), 1);
    let now = || Time::from_millis(1);
    let fail = || {
        let call = machine.admit(0, &now).unwrap();
        machine.settle(0, call, FAILURE, &now);
    };
    succeed(&machine, 1, now());
    (0..3).for_each(|_| fail());
    settings.replace(timed).unwrap();
    (0..9).for_each(|_| fail());
    assert_eq!(machine.status(now()).recent.unwrap().failures, 9);
    fail();
    assert_eq!(machine.status(now()).state, State::Open);
}

/// The same of a breaker that goes on with what another process had seen.
#[test]
fn failures_after_a_restart_are_in_the_window_of_time_too() {
    let rule = TimeRule { span: 60 * SECOND, buckets: 6, failure_ratio: 0.5, minimum_calls: 20 };
    let calls = Config { consecutive_failures: None, window: 1_000, minimum_calls: 1_000, ..steady() };
    let now = || Time::from_millis(1);
    let before = Machine::new(Config { time_window: Some(rule), ..calls }, 1).unwrap();
    let after = Machine::new(before.config().as_ref().clone(), 1).unwrap();
    let fail = |machine: &Machine, times| {
        (0..times).for_each(|_| {
            let call = machine.admit(0, &now).unwrap();
            machine.settle(0, call, FAILURE, &now);
        });
    };
    fail(&before, 10);
    assert!(after.resume(&before.memory(now()), &now));
    succeed(&after, 1, now());
    fail(&after, 9);
    assert_eq!(after.status(now()).state, State::Open);
}
