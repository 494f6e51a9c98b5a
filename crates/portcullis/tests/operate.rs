//! How fast a registry finds, and how soon who listens hears.
#![expect(clippy::unwrap_used, reason = "tests, and what they share")]

use std::{
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use portcullis::{Breaker, PolicyKind, Registry, event::Interest};

#[expect(clippy::disallowed_methods, reason = "what is measured is the machine's own time")]
fn now() -> Instant {
    Instant::now()
}

/// The shortest of several rounds: what else runs on the machine makes none of them shorter.
fn shortest(rounds: u32, each: impl Fn()) -> Duration {
    let round = |_| {
        let began = now();
        each();
        began.elapsed()
    };
    (0..rounds).map(round).min().unwrap()
}

/// Unoptimized code is slower by a factor, which says nothing of what is built for use.
fn limit(optimized: Duration) -> Duration {
    if cfg!(debug_assertions) { 4 * optimized } else { optimized }
}

#[test]
fn one_of_a_hundred_thousand_is_found_within_a_microsecond() {
    const NAMES: usize = 100_000;
    let registry = Registry::new();
    // Small ones: what is searched is the same.
    let policy = |n: usize| {
        let name = format!("policy-{n}");
        portcullis::RetryBudget::in_registry(name, portcullis::retry::BudgetConfig::Unlimited, &registry)
    };
    let kept: Vec<_> = (0..NAMES).map(|n| policy(n).unwrap()).collect();
    let wanted: Vec<_> = (0..1000).map(|n| format!("policy-{}", n * 97)).collect();
    let thousand = shortest(20, || {
        assert!(wanted.iter().all(|name| registry.get(PolicyKind::Budget, name).is_some()));
    });
    assert!(thousand / 1000 < limit(Duration::from_micros(1)), "{:?} each", thousand / 1000);
    assert_eq!(kept.len(), registry.policies().len());
}

#[test]
fn ten_listeners_on_threads_of_their_own_hear_within_ten_milliseconds() {
    let registry = Registry::new();
    let breaker = Breaker::builder("inventory").registry(&registry).build().unwrap();
    let (heard, all) = mpsc::channel();
    let listeners: Vec<_> = (0..10)
        .map(|_| {
            // Each hands the event to a thread of its own, as an exporter would.
            let (told, events) = mpsc::channel();
            let heard = heard.clone();
            std::thread::spawn(move || events.iter().for_each(|event| heard.send(event).unwrap()));
            registry.events().listen(Interest::All, move |event| {
                let _ = told.send(event.clone());
            })
        })
        .collect();
    let took = shortest(10, || {
        breaker.trip();
        (0..10).for_each(|_| drop(all.recv_timeout(Duration::from_secs(10)).unwrap()));
        breaker.reset();
        (0..10).for_each(|_| drop(all.recv_timeout(Duration::from_secs(10)).unwrap()));
    });
    assert!(took < Duration::from_millis(20), "{took:?} for two events");
    drop(listeners);
}

/// T39: whoever hears of a change may ask, and change, the policy it comes from.
#[test]
fn a_listener_may_call_back_into_everything() {
    let registry = Registry::new();
    let breaker = Arc::new(Breaker::builder("inventory").registry(&registry).build().unwrap());
    let (again, of) = (Arc::downgrade(&breaker), registry.clone());
    // Not of refusals: one that asks for a call at each would hear of its own.
    let _listening = registry.events().listen(Interest::Changes, move |_| {
        let _ = (of.snapshot(), of.level(), of.events().recent());
        for policy in of.policies() {
            let _ = (policy.snapshot(), policy.recent_events());
        }
        if let Some(breaker) = again.upgrade() {
            let _ = (breaker.status(), breaker.try_admit().is_ok());
            breaker.close();
        }
    });
    breaker.trip();
    assert!(!breaker.is_refusing(), "the listener has closed it");
    registry.stop_all("by hand");
    registry.release_all();
    breaker.reconfigure((*breaker.config()).clone()).unwrap();
}
