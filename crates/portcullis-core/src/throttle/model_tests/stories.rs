//! Outages, and what comes after them.

use std::time::Duration;

use crate::{
    FailureKind, Mode, Time,
    throttle::{Config, Ended, Lot, Throttler},
};

/// A client with a steady rate of requests, each of which is answered at once or never.
struct Client {
    throttler: Throttler,
    now: u64,
    seed: u64,
    sent: u64,
}

const EVERY_MS: u64 = 10;

impl Client {
    fn new(config: Config) -> Self {
        Self { throttler: Throttler::new(config, 1).unwrap(), now: 100_000, seed: 1, sent: 0 }
    }

    fn now(&self) -> Time {
        Time::from_millis(self.now)
    }

    /// Evenly spread over 0 to 1; from the sequence of the golden ratio.
    fn draw(&mut self) -> f64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        (self.seed >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Makes requests for so many seconds; `None` is a dependency that hangs.
    fn run(&mut self, seconds: u64, answer: Option<Ended>) {
        for _ in 0..seconds * 1000 / EVERY_MS {
            self.request(answer);
        }
    }

    fn request(&mut self, answer: Option<Ended>) {
        self.now += EVERY_MS;
        let (now, draw) = (self.now(), self.draw());
        match self.throttler.lot(now) {
            Lot::Chance(chance) if draw < chance => {
                self.throttler.hold(0, now);
            }
            _ => {
                self.sent += 1;
                self.throttler.admit(0);
                if let Some(ended) = answer {
                    self.throttler.settle(0, ended, || now);
                }
            }
        }
    }

    fn chance(&self) -> f64 {
        self.throttler.status(self.now()).chance
    }

    /// Seconds until nothing is held back any more.
    fn recovers_in(&mut self) -> u64 {
        (1..10_000)
            .find(|_| {
                self.run(1, Some(Ended::Accepted));
                self.chance() == 0.0
            })
            .unwrap()
    }
}

#[test]
fn a_healthy_dependency_gets_everything() {
    let mut client = Client::new(Config::default());
    client.run(600, Some(Ended::Accepted));
    assert_eq!((client.sent, client.chance()), (60_000, 0.0));
}

#[test]
fn one_in_ten_goes_through_in_a_long_outage() {
    let mut client = Client::new(Config::default());
    client.run(300, Some(Ended::Refused));
    client.sent = 0;
    client.run(100, Some(Ended::Refused));
    assert!((950..1050).contains(&client.sent), "{} of 10,000", client.sent);
}

/// Half of what is sent may be refused before anything is held back.
#[test]
fn a_short_outage_is_not_noticed() {
    let mut client = Client::new(Config::default());
    client.run(120, Some(Ended::Accepted));
    client.run(55, Some(Ended::Refused));
    assert_eq!(client.chance(), 0.0);
    client.run(10, Some(Ended::Refused));
    assert!(client.chance() > 0.0);
}

/// The times that it takes are told in the documentation.
#[test]
fn after_the_longest_outage_all_goes_through_in_a_few_windows() {
    for (k, least, most) in [(2.0, 1.5, 2.2), (3.0, 0.8, 1.5), (1.5, 2.5, 4.5), (1.1, 8.0, 30.0)] {
        for window in [10, 30, 120] {
            let config = Config { k, window: Duration::from_secs(window), ..Config::default() };
            let mut client = Client::new(config);
            client.run(window * 3, Some(Ended::Refused));
            let windows = client.recovers_in() as f64 / window as f64;
            println!("k = {k}: all goes through after {windows} windows of {window} s");
            assert!((least..most).contains(&windows), "{windows} with {k}");
        }
    }
}

#[test]
fn half_of_what_is_sent_is_accepted_at_the_capacity() {
    // Takes 20 of 100 in a second; the formula sends twice that.
    let mut client = Client::new(Config { window: Duration::from_secs(30), ..Config::default() });
    let mut sent_then = 0;
    for second in 0..300 {
        let before = client.sent;
        for _ in 0..100 {
            let taken = client.sent - before < 20;
            client.request(Some(if taken { Ended::Accepted } else { Ended::Refused }));
        }
        sent_then = if second < 200 { client.sent } else { sent_then };
    }
    let a_second = (client.sent - sent_then) as f64 / 100.0;
    assert!((35.0..45.0).contains(&a_second), "{a_second} a second");
}

/// Nothing ends, so nothing is counted where calls are counted as they end.
#[test]
fn hanging_calls_are_seen_while_they_hang() {
    let mut client = Client::new(Config::default());
    client.run(4, None);
    assert_eq!((client.chance(), client.throttler.status(client.now()).refused_total), (0.9, 0));
    // Those that hang longer than the window are forgotten.
    client.now += 130_000;
    assert_eq!(client.throttler.lot(client.now()), Lot::Free);
}

#[test]
fn a_burst_that_is_answered_in_good_time_is_no_outage() {
    let client = Client::new(Config::default());
    for at in [0, 100, 1_900] {
        assert_eq!(client.throttler.lot(Time::from_millis(client.now + at)), Lot::Free);
        (0..100).for_each(|_| client.throttler.admit(0));
    }
    // In the next bucket: the calls of the one before are too young to say anything.
    let now = Time::from_millis(client.now + 2_100);
    assert_eq!(client.throttler.lot(now), Lot::Free);
    (0..300).for_each(|_| client.throttler.settle(0, Ended::Accepted, || now));
    assert_eq!(client.throttler.status(Time::from_millis(client.now + 10_000)).hanging, 0);
}

/// A stream whose head has come runs for hours.
#[test]
fn what_was_answered_does_not_hang() {
    let client = Client::new(Config::default());
    let _ = client.throttler.lot(client.now());
    for _ in 0..50 {
        client.throttler.admit(0);
        client.throttler.answer(0, || client.now());
    }
    let later = Time::from_millis(client.now + 60_000);
    assert_eq!((client.throttler.lot(later), client.throttler.status(later).requests), (Lot::Free, 0));
    (0..50).for_each(|_| client.throttler.settle_answered(0, Ended::Refused, || later));
    assert_eq!(client.throttler.status(later).requests, 50);
    assert!(client.throttler.status(later).chance > 0.8);
}

/// The last refusals were long ago, and nothing has ended since.
#[test]
fn a_throttle_that_has_gone_quiet_forgets() {
    let mut client = Client::new(Config::default());
    client.run(120, Some(Ended::Refused));
    assert_eq!(client.chance(), 0.9);
    client.now += 117_000;
    assert!(matches!(client.throttler.lot(client.now()), Lot::Chance(_)));
    client.now += 4_000;
    assert_eq!(client.throttler.lot(client.now()), Lot::Free);
}

#[test]
fn what_is_ignored_is_as_if_it_had_not_been() {
    let mut client = Client::new(Config::default());
    client.run(60, Some(Ended::Ignored));
    let status = client.throttler.status(client.now());
    assert_eq!((status.requests, status.accepted, status.ignored_total), (0, 0, 6000));
}

#[test]
fn too_few_say_nothing() {
    let mut client = Client::new(Config::default());
    (0..9).for_each(|_| client.request(Some(Ended::Refused)));
    assert_eq!(client.chance(), 0.0);
    client.request(Some(Ended::Refused));
    assert_eq!(client.chance(), 0.9);
}

#[test]
fn other_rules_keep_what_was_seen() {
    let mut client = Client::new(Config::default());
    client.run(60, Some(Ended::Refused));
    let before = client.throttler.status(client.now()).requests;
    for (window, least) in [(240, 6_000), (30, 2_900), (60, 2_900)] {
        let config = Config { window: Duration::from_secs(window), max_share: 0.5, ..Config::default() };
        client.throttler.reconfigure(config, client.now()).unwrap();
        let status = client.throttler.status(client.now());
        assert!((least..=before).contains(&status.requests), "{window} s: {}", status.requests);
        assert_eq!(status.chance, 0.5);
    }
    client.throttler.reconfigure(Config { k: 0.0, ..Config::default() }, client.now()).unwrap_err();
    assert_eq!(client.throttler.config().max_share, 0.5);

    client.throttler.reset(client.now());
    let status = client.throttler.status(client.now());
    assert_eq!((status.requests, status.chance), (0, 0.0));
    assert!(status.refused_total > 0);
}

#[test]
fn disabled_it_decides_nothing() {
    let mut client = Client::new(Config::default());
    client.run(60, Some(Ended::Refused));
    let off = Config { mode: Mode::Disabled, ..Config::default() };
    client.throttler.reconfigure(off, client.now()).unwrap();
    assert_eq!((client.throttler.lot(client.now()), client.chance()), (Lot::Disabled, 0.0));
    client.throttler.reconfigure(Config::default(), client.now()).unwrap();
    assert_eq!(client.chance(), 0.9);
}

#[test]
fn which_failures_count_is_told() {
    let client = Client::new(Config::default());
    let counted = |throttler: &Throttler| {
        FailureKind::ALL.into_iter().filter(|kind| throttler.refuses(*kind)).collect::<Vec<_>>()
    };
    assert_eq!(counted(&client.throttler), crate::throttle::DEFAULT_REFUSED_BY);
    let refused_by = [FailureKind::Internal].into();
    client.throttler.reconfigure(Config { refused_by, ..Config::default() }, client.now()).unwrap();
    assert_eq!(counted(&client.throttler), [FailureKind::Internal]);
}

/// Threads count on shards of their own, and nothing is lost.
#[test]
fn nothing_is_lost_between_threads() {
    let throttler = Throttler::new(Config { min_requests: 1, ..Config::default() }, 4).unwrap();
    let at = |step: u64| Time::from_millis(1_000 + step);
    std::thread::scope(|scope| {
        for shard in 0..4 {
            let throttler = &throttler;
            scope.spawn(move || {
                for step in 0..5_000 {
                    match throttler.lot(at(step)) {
                        Lot::Chance(_) if step % 3 == 0 => {
                            throttler.hold(shard, at(step));
                        }
                        _ => {
                            throttler.admit(shard);
                            let ended = if step % 2 == 0 { Ended::Accepted } else { Ended::Refused };
                            throttler.settle(shard, ended, || at(step));
                        }
                    }
                }
            });
        }
    });
    let status = throttler.status(at(5_000));
    let total = status.accepted_total + status.refused_total + status.held_total;
    assert_eq!((total, status.requests, status.hanging), (20_000, 20_000, 0));
    assert_eq!(status.accepted, status.accepted_total);
    let exact = throttler.config().chance(status.requests, status.accepted);
    assert!((status.chance - exact).abs() < 1e-9);
}
