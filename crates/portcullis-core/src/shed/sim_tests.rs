//! A server with one processor and a queue in front of it, in virtual time.

use std::time::Duration;

use super::*;
use crate::{Priority, Time};

/// What a call takes on average; so the server can do a thousand in a second.
const SERVICE: f64 = 0.001;
const CAPACITY: f64 = 1.0 / SERVICE;
/// What a refusal takes.
const REFUSAL: f64 = 0.000_005;
/// Whoever waits longer has given up.
const PATIENCE: f64 = 0.1;

/// A generator of its own, so that a run can be repeated.
struct Chance(u64);

impl Chance {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(1);
        spread(self.0, 42)
    }

    fn share(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.share()).ln()
    }

    /// One of each class in five.
    fn class(&mut self) -> Priority {
        Priority::ALL[(self.share() * 5.0) as usize]
    }
}

/// A server, with what looks after it.
struct Server {
    shedder: Shedder,
    chance: Chance,
    /// When the queue is empty.
    free_at: f64,
    next_look: f64,
    now: f64,
}

/// What became of the calls of a class: those that came, and those that were served in time.
#[derive(Clone, Copy, Debug, Default)]
struct Served {
    came: u32,
    in_time: u32,
    late: u32,
}

impl Served {
    fn share(&self) -> f64 {
        f64::from(self.in_time) / f64::from(self.came)
    }
}

impl Server {
    fn new(config: Config) -> Self {
        let shedder = Shedder::new(config).unwrap();
        Self { shedder, chance: Chance(1), free_at: 0.0, next_look: 0.01, now: 0.0 }
    }

    /// Calls at so many times the capacity, for so many seconds. All wait in one queue, and are refused when
    /// their turn comes, as on an async runtime.
    fn run(&mut self, load: f64, seconds: f64) -> [Served; Priority::COUNT] {
        let mut served = [Served::default(); Priority::COUNT];
        let end = self.now + seconds;
        while self.now < end {
            self.now += self.chance.exponential(SERVICE / load);
            while self.next_look < self.now {
                self.look();
            }
            let class = self.chance.class();
            let turn = self.free_at.max(self.now);
            self.shedder.look(Time::from_nanos((turn * 1e9) as u64));
            let admitted = self.shedder.admit(&Arrival::of(class), self.chance.bits()).is_ok();
            let took = if admitted { self.chance.exponential(SERVICE) } else { REFUSAL };
            self.free_at = turn + took;
            let seen = &mut served[class as usize];
            seen.came += 1;
            if admitted {
                self.shedder.leave();
                let in_time = self.free_at - self.now < PATIENCE;
                *(if in_time { &mut seen.in_time } else { &mut seen.late }) += 1;
            }
        }
        served
    }

    /// A look goes through the queue too.
    fn look(&mut self) {
        let turn = self.free_at.max(self.next_look);
        let now = Time::from_nanos((turn * 1e9) as u64);
        self.shedder.sample(Some(Duration::from_secs_f64(turn - self.next_look)), now);
        self.next_look = turn + 0.01;
        self.shedder.expect(Time::from_nanos((self.next_look * 1e9) as u64));
    }
}

fn goodput(served: &[Served], seconds: f64) -> f64 {
    let in_time: u32 = served.iter().map(|class| class.in_time).sum();
    f64::from(in_time) / seconds / CAPACITY
}

#[test]
fn without_shedding_nobody_is_served_in_time() {
    let mut server = Server::new(Config { queue_delay: None, ..Config::default() });
    server.run(2.0, 2.0);
    assert!(goodput(&server.run(2.0, 5.0), 5.0) < 0.01);
}

#[test]
fn nothing_is_refused_where_there_is_room() {
    let mut server = Server::new(Config::default());
    let served = server.run(0.7, 20.0);
    assert!(served.iter().all(|class| class.came == class.in_time), "{served:?}");
    assert_eq!(server.shedder.status().cut, 0.0);
}

#[test]
fn most_of_what_can_be_done_is_done_whatever_comes() {
    for (load, least) in [(1.2, 0.93), (1.5, 0.93), (2.0, 0.93), (5.0, 0.9), (10.0, 0.8)] {
        let mut server = Server::new(Config::default());
        server.run(load, 2.0);
        let served = server.run(load, 20.0);
        let done = goodput(&served, 20.0);
        assert!(done > least, "at {load} times the capacity {done:.3} of it is served: {served:?}");
        // Who matters more is served before who matters less.
        assert!(
            served.iter().map(Served::share).is_sorted_by(|low, high| low <= &(high + 0.02)),
            "{served:?}"
        );
    }
}

#[test]
fn an_overload_that_is_over_is_forgotten_in_seconds() {
    for load in [1.5, 3.0, 10.0] {
        let mut server = Server::new(Config::default());
        server.run(load, 20.0);
        assert!(server.shedder.status().overload.is_some());
        server.run(0.5, 4.0);
        let status = server.shedder.status();
        assert_eq!((status.cut, status.level, status.overload), (0.0, 0, None), "after {load}");
    }
}

#[test]
fn a_class_that_is_alone_is_served_as_others_are() {
    let mut server = Server::new(Config::default());
    // All of one class, and all of one user: of one level.
    let mut served = 0;
    for turn in 0..60_000 {
        server.now += server.chance.exponential(SERVICE / 3.0);
        while server.next_look < server.now {
            server.look();
        }
        let begins = server.free_at.max(server.now);
        server.shedder.look(Time::from_nanos((begins * 1e9) as u64));
        let arrival = Arrival { user: Some(7), ..Arrival::of(Priority::Lowest) };
        let admitted = server.shedder.admit(&arrival, server.chance.bits()).is_ok();
        let took = if admitted { server.chance.exponential(SERVICE) } else { REFUSAL };
        server.free_at = begins + took;
        if admitted {
            server.shedder.leave();
        }
        if admitted && turn >= 30_000 && server.free_at - server.now < PATIENCE {
            served += 1;
        }
    }
    assert!(served > 8_500, "of 10000 that can be served, {served} were");
}
