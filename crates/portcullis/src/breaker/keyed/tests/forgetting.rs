//! Which keys go, and which stay.

use super::*;

fn flood(hosts: &KeyedBreaker, keys: std::ops::Range<usize>) {
    for n in keys {
        succeed(hosts, &format!("flood-{n}"));
    }
}

#[test]
fn what_is_not_closed_survives_a_flood() {
    let hosts = builder().max_keys(100).build().unwrap();
    fail(&hosts, "open");
    hosts.get_or_make("isolated").unwrap().isolate();
    hosts.get_or_make("forced").unwrap().force_close(None);
    flood(&hosts, 0..10_000);
    assert_eq!(state(&hosts, "open"), Some(State::Open));
    assert_eq!(state(&hosts, "isolated"), Some(State::Isolated));
    assert_eq!(state(&hosts, "forced"), Some(State::ForcedClosed));
    let seen = hosts.status();
    assert_eq!((seen.keys, seen.overflows, seen.in_state(State::Closed)), (100, 0, 97));
    assert_eq!(seen.evictions.full, 9_903);
}

#[test]
fn a_call_under_way_keeps_its_key() {
    let hosts = builder().max_keys(1).build().unwrap();
    let mut ticket = hosts.try_admit("a").unwrap();
    assert!(hosts.try_admit("b").unwrap().is_overflow(), "there is no other place");
    ticket.settle(failure());
    drop(ticket);
    assert_eq!(state(&hosts, "a"), Some(State::Open), "its end counts");
    hosts.reset();
    assert!(!hosts.try_admit("b").unwrap().is_overflow());
    assert_eq!(state(&hosts, "a"), None);
}

#[tokio::test(start_paused = true)]
async fn an_open_key_goes_when_its_time_is_over_and_nobody_comes() {
    let hosts = builder().open_for_exactly(60 * SECOND).idle_after(10 * SECOND).build().unwrap();
    fail(&hosts, "gone");
    succeed(&hosts, "idle");
    tokio::time::sleep(59 * SECOND).await;
    assert_eq!(hosts.sweep(), 1, "the closed one");
    assert_eq!(state(&hosts, "gone"), Some(State::Open));
    tokio::time::sleep(2 * SECOND).await;
    assert_eq!(hosts.sweep(), 1);
    assert_eq!((hosts.len(), hosts.evictions().idle), (0, 2));
    assert_eq!(hosts.status().abnormal(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_override_goes_only_after_its_end() {
    let hosts = builder().idle_after(SECOND).build().unwrap();
    hosts.get_or_make("for ever").unwrap().isolate();
    hosts.get_or_make("a while").unwrap().isolate_for(60 * SECOND);
    tokio::time::sleep(59 * SECOND).await;
    assert_eq!(hosts.sweep(), 0);
    tokio::time::sleep(2 * SECOND).await;
    assert_eq!(hosts.sweep(), 1);
    assert_eq!(state(&hosts, "for ever"), Some(State::Isolated));
}

#[test]
fn keys_that_are_disabled_by_the_mode_go_as_others() {
    let hosts = builder().max_keys(10).build().unwrap();
    hosts.set_mode(crate::breaker::Mode::Disabled).unwrap();
    flood(&hosts, 0..100);
    assert_eq!((hosts.len(), hosts.status().overflows), (10, 0));
}

#[test]
fn who_is_held_stays() {
    let hosts = builder().max_keys(1).build().unwrap();
    let host = hosts.get_or_make("a").unwrap();
    assert!(hosts.get_or_make("b").is_none());
    drop(host);
    assert!(hosts.get_or_make("b").is_some());
    assert!(hosts.get("a").is_none());
}
