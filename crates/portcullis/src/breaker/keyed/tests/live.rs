//! What is done to all keys at once, while calls flow.

use std::sync::{Arc, Mutex};

use crate::{
    breaker::{BreakerGroup, Config, Mode},
    event::{EventKind, Interest},
};

use super::*;

#[test]
fn new_settings_reach_a_thousand_keys_and_leave_their_states() {
    let hosts = builder().consecutive_failures(2).build().unwrap();
    let names: Vec<_> = (0..1000).map(|n| format!("host-{n}")).collect();
    for name in &names {
        succeed(&hosts, name);
    }
    let open: Vec<_> = names.iter().step_by(10).map(|name| hosts.get(name.as_str()).unwrap()).collect();
    open.iter().for_each(|host| host.trip());
    let mut under_way = hosts.try_admit("host-1").unwrap();

    let config = Config { consecutive_failures: Some(1), ..(*hosts.config()).clone() };
    hosts.reconfigure(config).unwrap();

    assert!(open.iter().all(|host| host.state() == State::Open));
    assert_eq!(hosts.status().in_state(State::Open), 100);
    under_way.settle(failure());
    assert_eq!(state(&hosts, "host-1"), Some(State::Open), "one is enough now");
    fail(&hosts, "host-2");
    assert_eq!(state(&hosts, "host-2"), Some(State::Open));
    assert_eq!(hosts.overflow().config().consecutive_failures, Some(1));
    assert_eq!(hosts.len(), 1000);
}

#[tokio::test(start_paused = true)]
async fn new_settings_that_look_at_time_reach_keys_that_have_not_failed() {
    let hosts = builder().build().unwrap();
    succeed(&hosts, "a");
    hosts.reconfigure(Config { hung_after: Some(SECOND), ..(*hosts.config()).clone() }).unwrap();
    let ticket = hosts.try_admit("a").unwrap();
    tokio::time::sleep(2 * SECOND).await;
    drop(ticket);
    assert_eq!(state(&hosts, "a"), Some(State::Open), "it hung");
}

#[test]
fn wrong_settings_change_nothing() {
    let hosts = builder().build().unwrap();
    let before = hosts.config();
    assert!(hosts.reconfigure(Config { permits: 0, ..Config::default() }).is_err());
    assert!(hosts.set_mode(Mode::EnforcePercent(101)).is_err());
    assert_eq!((&hosts.config(), &hosts.overflow().config()), (&before, &before));
}

#[test]
fn the_mode_is_that_of_all_keys() {
    let hosts = builder().build().unwrap();
    fail(&hosts, "a");
    hosts.set_mode(Mode::Shadow).unwrap();
    assert!(hosts.try_admit("a").is_ok());
    assert_eq!((hosts.status().bypassed, hosts.overflow().status().mode), (1, Mode::Shadow));
    hosts.set_mode(Mode::Disabled).unwrap();
    fail(&hosts, "b");
    assert_eq!(hosts.status().in_state(State::Disabled), 2);
    hosts.set_mode(Mode::Enforce).unwrap();
    assert_eq!(hosts.status().in_state(State::Closed), 2);
}

#[test]
fn all_keys_are_isolated_and_released_by_the_registry() {
    let registry = Registry::new();
    let hosts = builder().registry(&registry).build().unwrap();
    fail(&hosts, "open");
    succeed(&hosts, "closed");
    registry.isolate_all();
    for key in ["open", "closed", "new"] {
        let rejection = hosts.try_admit(key).unwrap_err();
        assert_eq!((&**rejection.policy(), rejection.reason().as_str()), ("upstream", "isolated"));
    }
    assert!(hosts.get("closed").unwrap().try_admit().is_err());
    assert_eq!((hosts.len(), registry.snapshot()[0].state), (2, "isolated"));

    registry.release_all();
    succeed(&hosts, "new");
    assert!(hosts.try_admit("open").is_err(), "its own state stayed");
    registry.reset_all();
    succeed(&hosts, "open");
    assert_eq!(registry.snapshot()[0].state, "closed");
}

#[tokio::test(start_paused = true)]
async fn an_isolation_of_all_ends_in_time() {
    let hosts = builder().build().unwrap();
    hosts.isolate_for(SECOND);
    assert!(hosts.try_admit("a").is_err());
    tokio::time::sleep(SECOND).await;
    succeed(&hosts, "a");
    assert!(!hosts.status().isolated);
}

#[test]
fn a_release_ends_the_overrides_of_single_keys() {
    let hosts = builder().build().unwrap();
    hosts.get_or_make("a").unwrap().isolate();
    hosts.release();
    succeed(&hosts, "a");
}

#[test]
fn keys_that_are_all_open_let_a_share_through() {
    let replicas = BreakerGroup::new(0.5).unwrap();
    let hosts = builder().group(&replicas).seed(1).build().unwrap();
    for key in ["a", "b"] {
        succeed(&hosts, key);
    }
    fail(&hosts, "a");
    assert_eq!((replicas.members(), replicas.broken()), (2, 1));
    assert!((0..100).all(|_| hosts.try_admit("a").is_err()), "b works");
    fail(&hosts, "b");
    let passed = (0..1000).filter(|_| hosts.try_admit("a").is_ok()).count();
    assert!((400..600).contains(&passed), "{passed} of 1000, for 0.5");
    drop(hosts);
    assert_eq!((replicas.members(), replicas.broken()), (0, 0));
}

#[test]
fn refusals_are_told_in_the_name_of_who_refused() {
    let registry = Registry::new();
    let hosts = builder().registry(&registry).build().unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let inside = told.clone();
    let _subscription = registry.events().listen(Interest::All, move |event| {
        if let EventKind::Rejected { enforced, .. } = event.what {
            inside.lock().unwrap().push((event.policy.to_string(), enforced));
        }
    });
    fail(&hosts, "a");
    hosts.try_admit("a").unwrap_err();
    hosts.set_mode(Mode::Shadow).unwrap();
    drop(hosts.try_admit("a").unwrap());
    hosts.isolate();
    hosts.try_admit("b").unwrap_err();
    let expected = [("upstream/a", true), ("upstream/a", false), ("upstream", true)];
    assert_eq!(*told.lock().unwrap(), expected.map(|(name, enforced)| (name.to_owned(), enforced)));
}

#[test]
fn events_are_told_in_the_name_of_the_key() {
    let registry = Registry::new();
    let hosts = builder().registry(&registry).build().unwrap();
    fail(&hosts, "a");
    hosts.isolate();
    let told = registry.events().recent();
    assert_eq!(told.iter().map(|event| &*event.policy).collect::<Vec<_>>(), ["upstream/a", "upstream"]);
}

#[test]
fn new_settings_are_told_in_the_name_of_all() {
    let hosts = builder().build().unwrap();
    hosts.set_mode(Mode::Shadow).unwrap();
    hosts.reconfigure((*hosts.config()).clone()).unwrap();
    let told = hosts.shared.common.emitter.recent();
    let is_new = |event: &crate::event::Event| event.what == crate::event::EventKind::ConfigChanged;
    assert_eq!((told.len(), told.iter().all(is_new)), (2, true));
}
