//! Changes while calls flow.

use portcullis::{FailureKind, Mode, Ticket, Verdict, throttle::Config};

use super::support::{SECOND, builder, end, failure, refused_by_dependency, throttle};

#[tokio::test(start_paused = true)]
async fn new_rules_keep_what_was_seen() {
    let throttle = throttle();
    refused_by_dependency(&throttle, 50);
    let before = throttle.status().requests;
    let config = Config { max_share: 0.5, window: 60 * SECOND, ..Config::default() };
    throttle.reconfigure(config.clone()).unwrap();
    let status = throttle.status();
    assert_eq!((status.requests, status.chance, &*throttle.config()), (before, 0.5, &config));

    let error = throttle.reconfigure(Config { max_share: 7.0, ..config.clone() }).unwrap_err();
    assert_eq!(error.field(), "throttle.max_share");
    assert_eq!((throttle.status().chance, &*throttle.config()), (0.5, &config));
}

#[tokio::test(start_paused = true)]
async fn in_shadow_all_pass_and_it_is_told_who_would_not() {
    let throttle = builder().mode(Mode::Shadow).build().unwrap();
    (0..100).for_each(|_| throttle.try_admit().unwrap().settle(failure(FailureKind::RateLimited)));
    let status = throttle.status();
    assert_eq!((status.requests, status.rejected, status.chance), (100, 0, 0.9));
    assert!((70..90).contains(&status.shadowed), "{status:?}");
    throttle.set_mode(Mode::Enforce).unwrap();
    assert!((0..100).any(|_| throttle.try_admit().is_err()));
}

#[tokio::test(start_paused = true)]
async fn a_percentage_is_held_back_and_the_others_pass() {
    let throttle = builder().mode(Mode::EnforcePercent(50)).build().unwrap();
    for _ in 0..1000 {
        if let Ok(mut ticket) = throttle.try_admit() {
            ticket.settle(failure(FailureKind::RateLimited));
        }
    }
    let status = throttle.status();
    assert!((400..500).contains(&status.rejected) && (400..500).contains(&status.shadowed), "{status:?}");
    assert!(throttle.set_mode(Mode::EnforcePercent(101)).is_err());
}

#[tokio::test(start_paused = true)]
async fn disabled_it_is_as_if_it_were_not_there() {
    let throttle = throttle();
    refused_by_dependency(&throttle, 50);
    let before = throttle.status();
    throttle.set_mode(Mode::Disabled).unwrap();
    (0..100).for_each(|_| throttle.try_admit().unwrap().settle(failure(FailureKind::RateLimited)));
    let status = throttle.status();
    assert_eq!((status.requests, status.rejected, status.chance), (before.requests, before.rejected, 0.0));
    throttle.set_mode(Mode::Enforce).unwrap();
    assert_eq!(throttle.status().chance, 0.9);
}

/// A call that began before a change ends as it would have.
#[tokio::test(start_paused = true)]
async fn calls_in_flight_stay() {
    let throttle = throttle();
    let mut before = throttle.try_admit().unwrap();
    throttle.reconfigure(Config { window: 10 * SECOND, ..Config::default() }).unwrap();
    before.settle(Verdict::Success);
    assert_eq!((throttle.status().requests, throttle.status().accepted), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_reset_forgets() {
    let throttle = throttle();
    refused_by_dependency(&throttle, 50);
    throttle.reset();
    assert_eq!((throttle.status().requests, throttle.status().chance), (0, 0.0));
    (0..9).for_each(|_| end(&throttle, failure(FailureKind::RateLimited)));
    assert_eq!(throttle.status().rejected, throttle.status().held_back_since_new());
}

trait SinceNew {
    fn held_back_since_new(&self) -> u64;
}

impl SinceNew for portcullis::throttle::ThrottleStatus {
    /// What is not in the window any more.
    fn held_back_since_new(&self) -> u64 {
        self.rejected.max(self.requests - 9)
    }
}
