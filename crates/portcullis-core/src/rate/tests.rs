//! The limiter against what it promises, over histories nobody would write by hand.

use std::{task::Waker, time::Duration};

use proptest::prelude::*;

use super::*;
use crate::{Mode, Time};

const SECOND: Duration = Duration::from_secs(1);

fn at(nanos: u64) -> Time {
    Time::from_nanos(nanos)
}

fn per_second(permits: u32, burst: u32) -> Config {
    Config { permits, burst: Some(burst), ..Config::default() }
}

/// What was granted, and when.
struct History {
    limiter: Limiter,
    config: Config,
    now: u64,
    granted: Vec<(u64, u32)>,
    line: Vec<(Place, u32)>,
    reserved: Vec<(Reserved, u32)>,
}

#[derive(Clone, Debug)]
enum Step {
    Pass(u64),
    Take(u32),
    Ask(u32),
    Leave(usize),
    Reserve(u32),
    GiveBack(usize),
    PassUntilDue(u32),
}

impl History {
    fn new(config: Config) -> Self {
        let limiter = Limiter::new(config.clone()).unwrap();
        Self { limiter, config, now: 1, granted: vec![], line: vec![], reserved: vec![] }
    }

    fn step(&mut self, step: &Step) {
        let now = at(self.now);
        let patience = Duration::from_secs(10);
        match *step {
            Step::Pass(nanos) => self.now += nanos,
            Step::Take(cost) if self.limiter.try_take(cost, now) => self.granted.push((self.now, cost)),
            Step::Take(cost) => self.refused(cost),
            Step::Ask(cost) => match self.limiter.ask(cost, now, 8, patience) {
                Asked::Taken => {
                    assert!(self.line.is_empty(), "nobody goes past those who wait");
                    self.granted.push((self.now, cost));
                }
                Asked::Waiting(place) => self.line.push((place, cost)),
                Asked::Refused(refused) => assert_ne!(refused.wait, Some(Duration::ZERO)),
            },
            Step::Leave(which) if which < self.line.len() => {
                let (place, _) = self.line.remove(which);
                self.limiter.leave(place, now);
            }
            Step::Reserve(cost) => match self.limiter.reserve(cost, now, patience) {
                Ok(reserved) => self.reserved.push((reserved, cost)),
                Err(refused) => assert_ne!(refused.wait, Some(Duration::ZERO)),
            },
            Step::GiveBack(which) if which < self.reserved.len() => {
                let (reserved, _) = self.reserved.remove(which);
                self.limiter.give_back(reserved, now);
            }
            Step::PassUntilDue(cost) => {
                if let Some(wait) = self.limiter.refuse(cost, now).wait {
                    self.now += wait.as_nanos() as u64;
                }
            }
            Step::Leave(_) | Step::GiveBack(_) => {}
        }
        self.poll();
    }

    /// All that wait look whether their turn has come: those in front first.
    fn poll(&mut self) {
        let mut before = false;
        let mut left = Vec::new();
        for (place, cost) in self.line.drain(..) {
            match self.limiter.poll(&place, at(self.now), Waker::noop()) {
                Turn::Come => {
                    assert!(!before, "in order of arrival");
                    self.granted.push((self.now, cost));
                }
                Turn::Wait(_) => {
                    before = true;
                    left.push((place, cost));
                }
            }
        }
        self.line = left;
    }

    /// The wait that is named is the right one: a nanosecond less is too little. By a limiter that is like this one.
    fn refused(&self, cost: u32) {
        let refused = self.limiter.refuse(cost, at(self.now));
        assert_eq!(refused.queued as usize, self.line.len());
        let Some(wait) = refused.wait else { return assert!(cost > self.config.burst()) };
        assert!(wait > Duration::ZERO);
    }

    /// Over any window, never more than the burst and what the rate gives in it.
    fn check(mut self) {
        self.granted.extend(self.reserved.iter().map(|(reserved, cost)| (reserved.due().as_nanos(), *cost)));
        self.granted.sort_unstable();
        let (permits, period) = (u128::from(self.config.permits), self.config.period.as_nanos());
        for (n, first) in self.granted.iter().enumerate() {
            let mut sum = 0u128;
            for (last, cost) in &self.granted[n..] {
                sum += u128::from(*cost);
                let window = u128::from(last - first.0);
                let most = u128::from(self.config.burst()) * period + permits * window;
                assert!(sum * period <= most, "{sum} in {window} ns: {:?}", self.granted);
                if self.config.algorithm == Algorithm::SlidingWindow && window < period {
                    assert!(sum <= permits, "{sum} in {window} ns: {:?}", self.granted);
                }
            }
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..400_000_000u64).prop_map(Step::Pass),
        1 => (0..3_000_000_000u64).prop_map(Step::Pass),
        4 => (1..5u32).prop_map(Step::Take),
        3 => (1..5u32).prop_map(Step::Ask),
        1 => (0..8usize).prop_map(Step::Leave),
        2 => (1..5u32).prop_map(Step::Reserve),
        1 => (0..8usize).prop_map(Step::GiveBack),
        2 => (1..5u32).prop_map(Step::PassUntilDue),
    ];
    prop::collection::vec(step, 1..80)
}

fn configs() -> impl Strategy<Value = Config> {
    let warmup = (0.01..1.0f64, 1..5_000u64)
        .prop_map(|(from, millis)| Warmup { from, time: Duration::from_millis(millis) });
    (1..20u32, 100..3_000u64, 1..8u32, prop::option::weighted(0.3, warmup), any::<bool>()).prop_map(
        |(permits, millis, burst, warmup, window)| {
            let period = Duration::from_millis(millis);
            let config = Config { permits, period, burst: Some(burst), ..Config::default() };
            if window {
                Config { algorithm: Algorithm::SlidingWindow, ..config }
            } else {
                Config { warmup, ..config }
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn never_more_than_the_burst_and_the_rate(config in configs(), steps in steps()) {
        let mut history = History::new(config);
        steps.iter().for_each(|step| history.step(step));
        history.check();
    }

    /// Two limiters with the same history: one is asked a nanosecond before the time, one at it.
    #[test]
    fn the_wait_is_exact(config in configs(), steps in steps(), cost in 1..5u32) {
        let [mut early, mut just] = [History::new(config.clone()), History::new(config.clone())];
        let unreserved = |step: &&Step| !matches!(step, Step::Ask(_));
        for step in steps.iter().filter(unreserved) {
            early.step(step);
            just.step(step);
        }
        let wait = just.limiter.refuse(cost, at(just.now)).wait;
        prop_assert_eq!(wait.is_none(), cost > config.burst());
        let Some(wait) = wait else { return Ok(()) };
        let due = at(just.now) + wait;
        prop_assert!(just.limiter.try_take(cost, due));
        if wait > Duration::ZERO {
            prop_assert!(!early.limiter.try_take(cost, at(due.as_nanos() - 1)));
        }
    }

    /// What a line is told at its end is when the last of it goes, if nobody leaves and nobody is late.
    #[test]
    fn who_waits_goes_at_the_time_that_was_foretold(config in configs(), costs in prop::collection::vec(1..5u32, 1..8)) {
        let limiter = Limiter::new(config).unwrap();
        let mut now = 1_000_000_000;
        let mut line = Vec::new();
        for cost in costs {
            let told = limiter.refuse(cost, at(now)).wait;
            match limiter.ask(cost, at(now), 8, 1000 * SECOND) {
                Asked::Waiting(place) => line.push((place, now + told.unwrap().as_nanos() as u64)),
                Asked::Taken => prop_assert_eq!(told, Some(Duration::ZERO)),
                Asked::Refused(_) => prop_assert_eq!(told, None),
            }
        }
        for (place, due) in line {
            if due > now {
                now = due - 1;
                prop_assert_eq!(limiter.poll(&place, at(now), Waker::noop()), Turn::Wait(Some(at(due))));
            }
            now = due;
            prop_assert_eq!(limiter.poll(&place, at(now), Waker::noop()), Turn::Come);
        }
    }

    /// A bucket that nobody touches and a line that all have left are as if nobody had come.
    #[test]
    fn who_leaves_and_gives_back_leaves_nothing_behind(config in configs(), costs in prop::collection::vec(1..5u32, 1..8)) {
        let [limiter, like] = [(); 2].map(|()| Limiter::new(config.clone()).unwrap());
        let now = at(1_000_000_000);
        for limiter in [&limiter, &like] {
            let all = limiter.available(now) as u32;
            limiter.try_take(all, now);
        }
        let line: Vec<_> = costs.iter().map(|cost| limiter.ask(*cost, now, 8, 1000 * SECOND)).collect();
        for asked in line {
            if let Asked::Waiting(place) = asked {
                limiter.leave(place, now);
            }
        }
        let reserved: Vec<_> = costs.iter().filter_map(|cost| limiter.reserve(*cost, now, 1000 * SECOND).ok()).collect();
        reserved.into_iter().rev().for_each(|reserved| limiter.give_back(reserved, now));
        for cost in 1..=5 {
            prop_assert_eq!(limiter.refuse(cost, now), like.refuse(cost, now));
        }
    }

    #[test]
    fn other_rules_grant_no_more_than_the_two_together(before in configs(), after in configs()) {
        let limiter = Limiter::new(before.clone()).unwrap();
        let now = at(1_000_000_000);
        let mut taken = 0;
        while limiter.try_take(1, now) {
            taken += 1;
        }
        limiter.reconfigure(&after, now).unwrap();
        prop_assert!(taken <= before.burst());
        let refilled = limiter.available(now);
        prop_assert!(refilled <= u64::from(after.burst().saturating_sub(taken)), "{} more at once", refilled);
    }
}

#[test]
fn a_burst_and_then_one_in_each_interval() {
    let limiter = Limiter::new(per_second(3, 2)).unwrap();
    let start = at(5);
    assert!(limiter.try_take(1, start) && limiter.try_take(1, start) && !limiter.try_take(1, start));
    // A third of a second, and not a nanosecond less.
    assert_eq!(limiter.refuse(1, start).wait, Some(Duration::from_nanos(333_333_334)));
    assert!(!limiter.try_take(1, at(5 + 333_333_333)));
    assert!(limiter.try_take(1, at(5 + 333_333_334)));
}

#[test]
fn more_than_the_burst_is_never_had() {
    for algorithm in [Algorithm::Gcra, Algorithm::SlidingWindow] {
        let limiter = Limiter::new(Config { algorithm, ..per_second(4, 4) }).unwrap();
        assert!(!limiter.try_take(5, at(1)));
        assert_eq!(limiter.refuse(u32::MAX, at(1)), Refused { wait: None, queued: 0 });
        assert!(matches!(limiter.ask(5, at(1), 8, SECOND), Asked::Refused(Refused { wait: None, .. })));
        assert!(limiter.try_take(4, at(1)));
    }
}

#[test]
fn a_window_forgets_each_permit_a_period_after_it_was_taken() {
    let limiter = Limiter::new(Config { algorithm: Algorithm::SlidingWindow, ..per_second(2, 9) }).unwrap();
    let second = SECOND.as_nanos() as u64;
    assert!(limiter.try_take(1, at(10)) && limiter.try_take(1, at(20)) && !limiter.try_take(1, at(30)));
    assert_eq!(limiter.refuse(1, at(30)).wait, Some(Duration::from_nanos(second - 20)));
    assert_eq!(limiter.refuse(2, at(30)).wait, Some(Duration::from_nanos(second - 10)));
    assert!(!limiter.try_take(1, at(second + 9)) && limiter.try_take(1, at(second + 10)));
    assert_eq!((limiter.available(at(second + 20)), limiter.available(at(2 * second + 10))), (1, 2));
}

#[test]
fn whoever_leaves_makes_room_for_the_next() {
    for algorithm in [Algorithm::Gcra, Algorithm::SlidingWindow] {
        let limiter = Limiter::new(Config { algorithm, ..per_second(1, 1) }).unwrap();
        let start = SECOND.as_nanos() as u64;
        assert!(limiter.try_take(1, at(start)));
        let [Asked::Waiting(first), Asked::Waiting(second)] =
            [(); 2].map(|()| limiter.ask(1, at(start), 8, 10 * SECOND))
        else {
            panic!("both wait")
        };
        assert_eq!(limiter.poll(&second, at(start), Waker::noop()), Turn::Wait(None));
        limiter.leave(first, at(start + 5));
        assert_eq!(limiter.poll(&second, at(start + 5), Waker::noop()), Turn::Wait(Some(at(2 * start))));
        assert_eq!(limiter.poll(&second, at(2 * start), Waker::noop()), Turn::Come);
    }
}

/// Handed its permit just as it is dropped.
#[test]
fn a_turn_that_is_not_fetched_goes_to_the_next() {
    let limiter = Limiter::new(per_second(1, 1)).unwrap();
    let start = SECOND.as_nanos() as u64;
    assert!(limiter.try_take(1, at(start)));
    let [Asked::Waiting(first), Asked::Waiting(second)] =
        [(); 2].map(|()| limiter.ask(1, at(start), 8, 10 * SECOND))
    else {
        panic!("both wait")
    };
    let late = 2 * start + 7;
    assert_eq!(limiter.poll(&second, at(late), Waker::noop()), Turn::Wait(Some(at(late + start))));
    limiter.leave(first, at(late));
    assert_eq!(limiter.poll(&second, at(late), Waker::noop()), Turn::Come);
}

#[test]
fn nobody_is_let_wait_in_vain() {
    let limiter = Limiter::new(per_second(1, 1)).unwrap();
    assert!(limiter.try_take(1, at(1)));
    assert!(matches!(
        limiter.ask(1, at(1), 8, SECOND / 2),
        Asked::Refused(Refused { wait: Some(SECOND), .. })
    ));
    let Asked::Waiting(place) = limiter.ask(1, at(1), 1, SECOND) else { panic!("in time") };
    let full = Refused { wait: Some(2 * SECOND), queued: 1 };
    assert_eq!(limiter.ask(1, at(1), 1, 9 * SECOND), Asked::Refused(full));
    assert!(limiter.reserve(1, at(1), 9 * SECOND).is_err(), "others wait");
    limiter.leave(place, at(2));
}

#[test]
fn what_is_reserved_comes_first_and_can_be_given_back() {
    let limiter = Limiter::new(per_second(1, 1)).unwrap();
    let start = at(1);
    let [now, then] = [(); 2].map(|()| limiter.reserve(1, start, 9 * SECOND).unwrap());
    assert_eq!((now.due(), then.due()), (start, start + SECOND));
    assert_eq!(limiter.refuse(1, start).wait, Some(2 * SECOND));
    limiter.give_back(now, start); // another was promised since: lost
    assert_eq!(limiter.refuse(1, start).wait, Some(2 * SECOND));
    limiter.give_back(then, start);
    assert_eq!(limiter.refuse(1, start).wait, Some(SECOND));
}

#[test]
fn a_cold_start_begins_with_a_share_and_rises_to_the_full_rate() {
    let warmup = Some(Warmup { from: 0.25, time: 10 * SECOND });
    let limiter = Limiter::new(Config { warmup, ..per_second(100, 8) }).unwrap();
    let second = SECOND.as_nanos() as u64;
    let in_second = |n: u64| {
        let start = 1_000 * second + n * second;
        (start..start + second).step_by(1_000_000).filter(|now| limiter.try_take(1, at(*now))).count()
    };
    let seconds: Vec<_> = (0..12).map(in_second).collect();
    // A quarter and then half a step of 7.5 each: 28.75 in the first second, and two of the burst.
    assert_eq!(seconds[..3], [30, 36, 44], "{seconds:?}");
    assert_eq!(seconds[10..], [100, 100], "{seconds:?}");
    // Ten seconds of rest, and it is cold again.
    assert!((25..=40).contains(&in_second(30)), "cold again");
}

#[test]
fn a_limit_that_is_off_takes_nothing() {
    let (config, mode) = (per_second(1, 1), Mode::Disabled);
    let limiter = Limiter::new(Config { mode, ..per_second(1, 1) }).unwrap();
    assert!((0..10).all(|_| limiter.try_take(1, at(1))));
    limiter.reconfigure(&config, at(1)).unwrap();
    assert!(limiter.try_take(1, at(1)) && !limiter.try_take(1, at(1)));
}

#[test]
fn a_new_rate_keeps_what_was_taken_and_who_waits() {
    let limiter = Limiter::new(per_second(10, 10)).unwrap();
    let start = at(SECOND.as_nanos() as u64);
    assert!(limiter.try_take(10, start));
    let Asked::Waiting(place) = limiter.ask(1, start, 1, SECOND) else { panic!("it waits") };
    limiter.reconfigure(&per_second(20, 10), start).unwrap();
    let due = start + SECOND / 20;
    assert_eq!(limiter.poll(&place, start, Waker::noop()), Turn::Wait(Some(due)));
    // A burst that is less than what somebody waits for.
    limiter.reconfigure(&per_second(20, 1), due).unwrap();
    assert_eq!(limiter.poll(&place, due, Waker::noop()), Turn::Come);
}

#[test]
fn the_end_of_time_is_no_end_of_the_limit() {
    let limiter = Limiter::new(per_second(1, 1)).unwrap();
    let end = at(u64::MAX);
    assert!(limiter.try_take(1, end) && !limiter.try_take(1, end));
    assert_eq!(limiter.refuse(1, end).wait, Some(SECOND));
}
