//! Keys without room.

use portcullis_core::health::Level;

use super::*;

/// With room for two, both taken.
fn full(registry: &Registry) -> KeyedBreaker {
    let hosts = builder().max_keys(2).registry(registry).build().unwrap();
    for key in ["a", "b"] {
        hosts.get_or_make(key).unwrap().isolate();
    }
    hosts
}

#[test]
fn keys_without_room_share_one_breaker() {
    let hosts = full(&Registry::new());
    assert!(hosts.get_or_make("c").is_none());
    let mut ticket = hosts.try_admit("c").unwrap();
    assert!(ticket.is_overflow());
    ticket.settle(failure());
    for key in ["c", "d"] {
        assert_eq!(&**hosts.try_admit(key).unwrap_err().policy(), "upstream/(other)");
    }
    assert_eq!(hosts.overflow().state(), State::Open);
    assert_eq!((hosts.len(), hosts.status().overflows), (2, 4));
}

#[test]
fn the_overflow_is_seen() {
    let registry = Registry::new();
    let hosts = full(&registry);
    hosts.overflow().trip();
    let seen = registry.snapshot();
    let names: Vec<_> = seen.iter().map(|policy| (&*policy.name, policy.state)).collect();
    assert_eq!(names, [("upstream", "isolated"), ("upstream/(other)", "open")]);
    for value in [
        ("overflow_state", "open".into()),
        ("entries", 2_u64.into()),
        ("not_closed", 2_u64.into()),
        ("evicted_idle", 0_u64.into()),
        ("evicted_full", 0_u64.into()),
    ] {
        assert!(seen[0].values.contains(&value), "{value:?} is not in {seen:?}");
    }
}

#[test]
fn one_open_key_of_many_is_a_warning_and_most_of_them_are_worse() {
    let registry = Registry::new();
    let hosts = builder().registry(&registry).build().unwrap();
    let level = || registry.snapshot()[0].level;
    for key in ["a", "b", "c", "d"] {
        succeed(&hosts, key);
    }
    assert_eq!(level(), Level::Healthy);
    for (key, then) in [("a", Level::Warning), ("b", Level::Warning), ("c", Level::Degraded)] {
        fail(&hosts, key);
        assert_eq!(level(), then);
    }
    hosts.reset();
    assert_eq!(level(), Level::Healthy);
    hosts.isolate();
    assert_eq!(level(), Level::Degraded);
}
