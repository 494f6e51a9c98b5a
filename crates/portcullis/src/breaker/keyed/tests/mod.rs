//! The keyed breaker, without tower.

mod automatic;
mod cost;
mod forgetting;
mod live;
mod overflow;
mod threads;

use std::time::Duration;

use portcullis_core::{Failure, FailureKind, Verdict, breaker::State};

use super::{KeyedBreaker, KeyedBreakerBuilder};
use crate::{BoxError, Registry, Rejection, Ticket};

const SECOND: Duration = Duration::from_secs(1);

/// Opens with the first failure, for exactly five seconds.
fn builder() -> KeyedBreakerBuilder {
    KeyedBreaker::builder("upstream")
        .registry(&Registry::new())
        .consecutive_failures(1)
        .open_for_exactly(5 * SECOND)
        .permits(1)
        .successes(1)
}

fn failure() -> Verdict {
    Failure::new(FailureKind::Timeout).into()
}

fn fail(hosts: &KeyedBreaker, key: &str) {
    hosts.try_admit(key).unwrap().settle(failure());
}

fn succeed(hosts: &KeyedBreaker, key: &str) {
    hosts.try_admit(key).unwrap().settle(Verdict::Success);
}

fn state(hosts: &KeyedBreaker, key: &str) -> Option<State> {
    hosts.get(key).map(|host| host.state())
}

#[test]
fn the_defaults_are_valid() {
    assert!(KeyedBreaker::new("defaults").is_empty());
}

#[test]
fn one_key_that_fails_does_no_harm_to_others() {
    let hosts = builder().build().unwrap();
    succeed(&hosts, "b");
    fail(&hosts, "a");
    let rejection = hosts.try_admit("a").unwrap_err();
    assert_eq!(rejection.to_string().split(" is ").next(), Some("breaker 'upstream/a'"));
    succeed(&hosts, "b");
    succeed(&hosts, "c");
    let seen = hosts.status();
    assert_eq!((seen.keys, seen.in_state(State::Open), seen.in_state(State::Closed)), (3, 1, 2));
    assert_eq!((seen.worst(), seen.abnormal(), seen.refused), (State::Open, 1, 1));
    assert_eq!(hosts.abnormal().iter().map(|key| &**key.key()).collect::<Vec<_>>(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_key_recovers_by_itself() {
    let hosts = builder().build().unwrap();
    fail(&hosts, "a");
    tokio::time::sleep(5 * SECOND).await;
    assert!(hosts.try_admit("a").unwrap().is_probe());
    assert_eq!(state(&hosts, "a"), Some(State::HalfOpen));
    succeed(&hosts, "a");
    assert_eq!(state(&hosts, "a"), Some(State::Closed));
    assert_eq!(hosts.status().worst(), State::Closed);
}

#[tokio::test]
async fn calls_are_run_and_recorded() {
    let hosts = builder().build().unwrap();
    assert_eq!(hosts.call("a", || async { Ok::<_, BoxError>(7) }).await.unwrap(), 7);
    hosts.call("a", || async { Err::<(), _>(BoxError::from("down")) }).await.unwrap_err();
    let error = hosts.call("a", || async { Ok::<_, BoxError>(7) }).await.unwrap_err();
    assert!(error.is::<Rejection>());
    let host = hosts.get("a").unwrap();
    assert_eq!((host.status().successes, host.status().failures, host.status().refused), (1, 1, 1));
    let error = host.call(|| async { Ok::<_, BoxError>(7) }).await.unwrap_err();
    assert!(error.is::<Rejection>());
}

#[test]
fn a_ticket_that_is_dropped_says_nothing() {
    let hosts = builder().build().unwrap();
    drop(hosts.try_admit("a").unwrap());
    let mut twice = hosts.try_admit("a").unwrap();
    twice.settle(Verdict::Success);
    twice.settle(failure());
    let status = hosts.get("a").unwrap().status();
    assert_eq!((status.abandoned, status.successes, status.failures), (1, 1, 0));
}

#[test]
fn retries_alone_are_refused_on_demand() {
    let hosts = builder().only_retries().build().unwrap();
    fail(&hosts, "a");
    assert!(hosts.try_admit("a").is_ok());
    assert!(hosts.try_admit_retry("a").is_err());
    assert!(hosts.get("a").unwrap().try_admit_retry().is_err());
    assert_eq!((hosts.status().bypassed, hosts.status().refused), (1, 2));
}

#[test]
fn a_key_is_taken_over_by_hand() {
    let hosts = builder().build().unwrap();
    let host = hosts.get_or_make("a").unwrap();
    host.trip();
    assert_eq!(host.state(), State::Open);
    host.close();
    assert_eq!(host.state(), State::Closed);
    host.isolate();
    assert!(host.try_admit().is_err() && hosts.try_admit("a").is_err());
    host.release();
    host.force_close(None);
    fail(&hosts, "a");
    assert_eq!(host.state(), State::ForcedClosed);
    host.only_measure(None);
    assert_eq!(host.state(), State::MetricsOnly);
    host.disable(None);
    assert_eq!(host.state(), State::Disabled);
    host.reset();
    assert_eq!(host.state(), State::Closed);
}

/// All numbers are told apart, and what is shown is what was asked.
#[test]
fn keys_of_another_type() {
    let registry = Registry::new();
    let tenants = KeyedBreaker::builder("tenants").keys::<u64>().registry(&registry).build().unwrap();
    tenants.get_or_make(&42).unwrap().trip();
    assert_eq!(&**tenants.try_admit(&42).unwrap_err().policy(), "tenants/42");
    assert!(tenants.try_admit(&43).is_ok());
}
