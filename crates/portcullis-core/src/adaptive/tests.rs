//! Stories, and properties.

mod properties;
mod world;

use std::time::Duration;

use self::world::{Server, World};
use super::{Algorithm, Config, Limiter, Sample};
use crate::Time;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// Sixteen slots, ten milliseconds, and ten times the calls that can be done.
fn overloaded(algorithm: Algorithm, initial: u32) -> World {
    let server = Server { slots: 16, service: 10 * MS, refuses_above: usize::MAX };
    // The only latency that AIMD knows.
    let ceiling = matches!(algorithm, Algorithm::Aimd(_)).then_some(80 * MS);
    World::new(Config { algorithm, ceiling, initial, ..Config::default() }, server, 10.0, 1)
}

fn goodput(world: &mut World, time: Duration) -> f64 {
    world.run(time).answered as f64 / world.capacity(time)
}

#[test]
fn an_overload_costs_no_throughput_and_no_patience() {
    for algorithm in Algorithm::all() {
        let mut world = overloaded(algorithm, 20);
        world.run(5 * SECOND);
        let report = world.run(10 * SECOND);
        let goodput = report.answered as f64 / world.capacity(10 * SECOND);
        assert!(goodput >= 0.95, "{algorithm:?}: {goodput}");
        // Without a queue it is 46 ms.
        assert!(report.quantile(0.99) <= 100 * MS, "{algorithm:?}: {:?}", report.quantile(0.99));
        assert!(report.refused > 5 * report.answered, "{algorithm:?}: {report:?}");
    }
}

/// From a limit that is far too low, and from one that is far too high.
#[test]
fn it_finds_its_way_from_anywhere() {
    for algorithm in Algorithm::all() {
        for initial in [1, 200] {
            let mut world = overloaded(algorithm, initial);
            world.run(20 * SECOND);
            let limit = world.limiter.limit();
            assert!((10..=90).contains(&limit), "{algorithm:?} from {initial}: {limit}");
        }
    }
}

/// A server that is five times slower for a while, and then as it was.
#[test]
fn it_recovers_from_a_slow_phase() {
    for algorithm in Algorithm::all() {
        let mut world = overloaded(algorithm, 20);
        world.run(5 * SECOND);
        world.server.service = 50 * MS;
        world.run(20 * SECOND);
        world.server.service = 10 * MS;
        world.run(5 * SECOND);
        let goodput = goodput(&mut world, 10 * SECOND);
        assert!(goodput >= 0.95, "{algorithm:?}: {goodput}");
    }
}

/// A server that stays slower is not starved for what it once was.
#[test]
fn what_is_usual_is_learned_anew() {
    for algorithm in Algorithm::all() {
        if matches!(algorithm, Algorithm::Aimd(_)) {
            continue; // Its ceiling is an order.
        }
        let mut world = overloaded(algorithm, 20);
        world.run(5 * SECOND);
        world.server.service = 50 * MS;
        world.run(30 * SECOND);
        let goodput = goodput(&mut world, 20 * SECOND);
        assert!(goodput >= 0.9, "{algorithm:?}: {goodput}");
    }
}

/// A server that refuses what it has no room for, and takes no longer for the rest: only refusals tell.
#[test]
fn a_dependency_that_refuses_is_heard() {
    for algorithm in Algorithm::all() {
        let server = Server { slots: 16, service: 10 * MS, refuses_above: 16 };
        let mut world = World::new(Config { algorithm, ..Config::default() }, server, 10.0, 1);
        world.run(5 * SECOND);
        let report = world.run(10 * SECOND);
        let goodput = report.answered as f64 / world.capacity(10 * SECOND);
        let highest = report.limits.iter().max().copied().unwrap_or_default();
        assert!(goodput >= 0.75 && highest <= 30, "{algorithm:?}: {goodput}, up to {highest}");
    }
}

/// Every call takes as long, and half of the limit is used.
fn steady(limiter: &Limiter, from: Time, seconds: u64, takes: Duration, sample: Sample) -> Time {
    let mut now = from;
    let end = from + Duration::from_secs(seconds);
    while now < end {
        let in_flight: Vec<_> =
            (0..limiter.limit().div_ceil(2)).map_while(|_| limiter.try_acquire()).collect();
        let started = now;
        now = now + takes;
        for number in in_flight {
            limiter.release(0, started, number, sample, now);
        }
    }
    now
}

/// The times of the algorithms are durations, and where the clock starts is nothing to them.
#[test]
fn it_is_the_same_at_any_time() {
    let limits = [Time::ORIGIN, Time::from_millis(u64::MAX / 4_000_000)].map(|start| {
        let limiter = Limiter::new(Config::default(), 1).unwrap();
        steady(&limiter, start, 60, 10 * MS, Sample::Success);
        (limiter.limit(), limiter.status().windows)
    });
    assert_eq!(limits[0], limits[1]);
}

#[test]
fn ignored_calls_and_those_given_up_early_say_nothing() {
    for sample in [Sample::Ignored, Sample::Abandoned, Sample::Failed] {
        let limiter = Limiter::new(Config::default(), 1).unwrap();
        steady(&limiter, Time::ORIGIN, 10, 10 * MS, sample);
        assert_eq!((limiter.limit(), limiter.status().windows), (20, 0), "{sample:?}");
    }
}

#[test]
fn what_was_given_up_long_after_what_is_usual_hangs() {
    let limiter = Limiter::new(Config::default(), 1).unwrap();
    let now = steady(&limiter, Time::ORIGIN, 2, 10 * MS, Sample::Success);
    let before = limiter.limit();
    let now = steady(&limiter, now, 2, 90 * MS, Sample::Abandoned);
    assert!(limiter.limit() >= before, "not much longer than usual");
    let before = limiter.limit();
    steady(&limiter, now, 2, 200 * MS, Sample::Abandoned);
    assert!(limiter.limit() < before);
}

#[test]
fn other_settings_keep_what_was_learned() {
    let limiter = Limiter::new(Config::default(), 1).unwrap();
    steady(&limiter, Time::ORIGIN, 2, 10 * MS, Sample::Success);
    let before = limiter.status();
    let config = Config { max: 30, initial: 5, ..limiter.config() };
    let change = limiter.reconfigure(config).unwrap().unwrap();
    assert_eq!((change.from, change.to), (before.limit, 30));
    assert_eq!(limiter.status().baseline, before.baseline);
    assert!(limiter.reconfigure(Config { min: 0, ..Config::default() }).is_err());
    assert_eq!((limiter.limit(), limiter.config().max), (30, 30));
}

#[test]
fn disabled_it_takes_no_places_and_learns_nothing() {
    let limiter = Limiter::new(Config { initial: 1, ..Config::default() }, 1).unwrap();
    let enforced = limiter.try_acquire().unwrap();
    limiter.update(|config| Config { mode: crate::Mode::Disabled, ..config.clone() }).unwrap();
    assert_eq!([limiter.try_acquire(), limiter.try_acquire()], [Some(0), Some(0)]);
    assert_eq!((limiter.is_full(), limiter.limit(), limiter.force()), (false, 1, 0));
    limiter.release(0, Time::ORIGIN, 0, Sample::Congested, Time::from_millis(500));
    limiter.release(0, Time::ORIGIN, enforced, Sample::Success, Time::from_millis(500));
    assert_eq!((limiter.in_flight(), limiter.status().windows), (0, 0));
    limiter.update(|config| Config { mode: crate::Mode::Enforce, ..config.clone() }).unwrap();
    assert_eq!([limiter.try_acquire(), limiter.try_acquire()], [Some(1), None]);
}
