//! The task that looks, and nothing of it that stays.

use std::time::Duration;

use portcullis::{
    LoadShed, Mode, Registry,
    event::{EventKind, Interest},
};

use super::support::{lag, ms, overload, settle, shed};

fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

#[tokio::test(start_paused = true)]
async fn it_starts_with_the_first_call_and_ends_with_the_policy() {
    let shed = shed().build().unwrap();
    settle().await;
    assert_eq!((shed.status().sampling, tasks()), (false, 0));
    let ticket = shed.try_admit().unwrap();
    assert!(shed.status().sampling);
    let clones: Vec<_> = (0..10).map(|_| shed.clone()).collect();
    clones.iter().for_each(|shed| drop(shed.try_admit()));
    assert_eq!(tasks(), 1);
    drop((shed, clones, ticket));
    settle().await;
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn it_rests_when_no_calls_come() {
    let shed = shed().build().unwrap();
    for _ in 0..30 {
        drop(shed.try_admit());
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert!(shed.status().sampling, "calls come often enough");
    }
    tokio::time::sleep(Duration::from_secs(15)).await;
    assert_eq!((shed.status().sampling, tasks()), (false, 0));
    drop(shed.try_admit());
    assert!(shed.status().sampling);
}

#[tokio::test(start_paused = true)]
async fn without_a_signal_that_is_looked_at_there_is_none() {
    let shed = shed().no_queue_delay().max_in_flight(3).build().unwrap();
    drop(shed.try_admit());
    assert_eq!(tasks(), 0);
    shed.set_cut(0.1).unwrap();
    drop(shed.try_admit());
    assert_eq!(tasks(), 1);
    shed.set_mode(Mode::Disabled).unwrap();
    for _ in 0..10 {
        drop(shed.try_admit());
        tokio::time::sleep(ms(100)).await;
    }
    assert_eq!(tasks(), 0);
}

#[test]
fn outside_a_runtime_calls_are_admitted() {
    let shed = shed().max_in_flight(10).build().unwrap();
    assert!((0..100).all(|_| shed.try_admit().is_ok()));
    assert!(!shed.status().sampling);
}

#[test]
fn an_overload_ends_with_the_runtime_that_saw_it() {
    let shed = shed().build().unwrap();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime().unwrap().block_on(overload(&shed, ms(3000)));
    assert_eq!((shed.status().cut, shed.status().sampling), (0.0, false));
    assert!((0..100).all(|_| shed.try_admit().is_ok()));
    // And another runtime sees another one.
    runtime().unwrap().block_on(async {
        drop(shed.try_admit());
        assert!(shed.status().sampling);
        lag(ms(100), ms(1000)).await;
        assert!(shed.status().cut > 0.0);
    });
}

/// A runtime without timers: one task panics, once, and calls go on.
#[test]
fn a_runtime_without_timers_does_no_harm() {
    let shed = shed().build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for _ in 0..100 {
            assert!(shed.try_admit().is_ok());
            settle().await;
        }
        assert!(!shed.status().sampling);
    });
}

/// The task was spawned and never polled, because the runtime ended right then.
#[test]
fn a_runtime_that_ends_before_it_looks_does_not_stop_it_for_good() {
    let shed = shed().build().unwrap();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime().unwrap().block_on(async { drop(shed.try_admit()) });
    assert!(!shed.status().sampling);
    runtime().unwrap().block_on(async {
        drop(shed.try_admit());
        assert!(shed.status().sampling, "the next runtime has one of its own");
    });
}

/// It says that it ended while it still does: a call that comes just then must not take it for one that runs.
#[tokio::test(start_paused = true)]
async fn a_call_that_comes_while_it_ends_starts_another() {
    let registry = Registry::new();
    let shed = LoadShed::builder("api").seed(1).registry(&registry).build().unwrap();
    overload(&shed, ms(2000)).await;
    let within = shed.clone();
    let _subscription = registry.events().listen(Interest::All, move |event| {
        if matches!(event.what, EventKind::OverloadChanged { overloaded: false, .. }) {
            within.set_mode(Mode::Enforce).unwrap();
            drop(within.try_admit());
        }
    });
    shed.set_mode(Mode::Disabled).unwrap();
    tokio::time::sleep(ms(1000)).await;
    assert_eq!(shed.config().mode, Mode::Enforce, "the listener was called");
    for _ in 0..10 {
        drop(shed.try_admit());
        tokio::time::sleep(ms(100)).await;
    }
    assert!(shed.status().sampling);
}
