use std::sync::{
    Arc, Mutex, OnceLock,
    atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
};

use portcullis_core::{Failure, FailureKind, Name, PolicyKind, Reason, Rejection, breaker::State};

use super::*;
use crate::{Breaker, Registry, Ticket};

fn emitter(registry: &Registry) -> Emitter {
    Emitter::new(Name::from("x"), PolicyKind::Breaker, registry)
}

fn rejection() -> Rejection {
    Rejection::new(Name::from("x"), Reason::BulkheadFull { limit: 1, queued: 0 })
}

/// Counts what it is told.
fn counting(registry: &Registry, interest: Interest) -> (Arc<AtomicU32>, Subscription) {
    let count = Arc::new(AtomicU32::new(0));
    let inside = count.clone();
    let subscription = registry.events().listen(interest, move |_| {
        inside.fetch_add(1, Relaxed);
    });
    (count, subscription)
}

#[test]
fn a_listener_hears_until_its_subscription_is_dropped() {
    let registry = Registry::new();
    let emitter = emitter(&registry);
    let (count, subscription) = counting(&registry, Interest::All);
    emitter.config_changed();
    emitter.rejected(&rejection(), true);
    assert!(subscription.is_active());
    drop(subscription);
    emitter.config_changed();
    emitter.rejected(&rejection(), true);
    assert_eq!(count.load(Relaxed), 2);
    assert!(!has_audience(&registry));
}

fn has_audience(registry: &Registry) -> bool {
    registry.events().has_audience()
}

#[test]
fn a_detached_listener_stays() {
    let registry = Registry::new();
    let (count, subscription) = counting(&registry, Interest::Changes);
    subscription.detach();
    emitter(&registry).config_changed();
    assert_eq!(count.load(Relaxed), 1);
}

#[test]
fn who_hears_changes_only_makes_refusals_no_dearer() {
    let registry = Registry::new();
    let (count, _subscription) = counting(&registry, Interest::Changes);
    assert!(!has_audience(&registry));
    emitter(&registry).rejected(&rejection(), true);
    // Nor does it hear of them when others do.
    let _stream = registry.events().subscribe("test");
    emitter(&registry).rejected(&rejection(), true);
    assert_eq!(count.load(Relaxed), 0);
}

#[test]
fn changes_are_kept_and_refusals_are_not() {
    let registry = Registry::new();
    let emitter = emitter(&registry);
    let _listener = counting(&registry, Interest::All);
    emitter.config_changed();
    emitter.rejected(&rejection(), true);
    emitter.config_changed();
    let kept = registry.events().recent();
    assert_eq!(kept.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(kept, emitter.recent());
}

#[test]
fn only_the_last_are_kept() {
    let registry = Registry::new();
    let emitters = [emitter(&registry), emitter(&registry)];
    for _ in 0..KEPT {
        emitters.iter().for_each(Emitter::config_changed);
    }
    let kept = registry.events().recent();
    assert_eq!((kept.len(), kept[0].seq), (KEPT, KEPT as u64 + 1));
    assert_eq!(emitters[0].recent().len(), KEPT_PER_POLICY);
    assert_eq!(emitters[1].recent().last(), kept.last());
}

/// T39: a callback under a lock stood still when it read the state.
#[test]
fn a_listener_may_call_everything() {
    let registry = Registry::new();
    let breaker = Breaker::builder("x").registry(&registry).build().unwrap();
    let (inner, weak) = (registry.clone(), breaker.clone());
    let states = Arc::new(Mutex::new(Vec::new()));
    let seen = states.clone();
    let _subscription = registry.events().listen(Interest::All, move |_| {
        seen.lock().unwrap().push(weak.state());
        let _ = (weak.status(), weak.is_refusing(), weak.config());
        let _ = (inner.snapshot(), inner.events().recent(), inner.events().lost());
        let _ = (inner.events().subscribe("test"), counting(&inner, Interest::All));
        let _built = Breaker::builder("y").registry(&inner).build().unwrap();
        let policy = inner.get(PolicyKind::Breaker, "x").unwrap();
        if policy.recent_events().len() == 1 && seen.lock().unwrap().len() == 1 {
            drop(weak.try_admit());
            weak.reset();
        }
    });
    breaker.isolate();
    // The isolation, the call it refused, and then the reset, with which it is over.
    assert_eq!(*states.lock().unwrap(), [State::Isolated, State::Isolated, State::Closed]);
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_listener_may_end_itself_and_start_others() {
    let registry = Registry::new();
    let hub = registry.events().clone();
    let own: Arc<OnceLock<Mutex<Option<Subscription>>>> = Arc::default();
    let (ended, later) = (own.clone(), Arc::new(Mutex::new(None)));
    let (started, count) = (later.clone(), Arc::new(AtomicU32::new(0)));
    let calls = count.clone();
    let subscription = hub.clone().listen(Interest::Changes, move |_| {
        calls.fetch_add(1, Relaxed);
        drop(ended.get().and_then(|own| own.lock().unwrap().take()));
        *started.lock().unwrap() = Some(hub.listen(Interest::Changes, |_| {}));
    });
    own.set(Mutex::new(Some(subscription))).unwrap();
    let emitter = emitter(&registry);
    emitter.config_changed();
    emitter.config_changed();
    assert_eq!(count.load(Relaxed), 1);
    assert!(later.lock().unwrap().as_ref().is_some_and(Subscription::is_active));
}

#[test]
fn a_listener_that_panics_harms_nobody_and_is_not_called_again() {
    let registry = Registry::new();
    let calls = Arc::new(AtomicU32::new(0));
    let inside = calls.clone();
    let bad = registry.events().listen(Interest::All, move |_| {
        inside.fetch_add(1, Relaxed);
        panic!("a listener's");
    });
    let (good, _subscription) = counting(&registry, Interest::All);
    let emitter = emitter(&registry);
    emitter.config_changed();
    emitter.rejected(&rejection(), true);
    assert_eq!((calls.load(Relaxed), good.load(Relaxed)), (1, 2));
    assert!(!bad.is_active());
    drop((bad, _subscription));
    assert!(!has_audience(&registry), "each left once");
}

#[tokio::test]
async fn a_slow_reader_is_told_how_many_it_lost() {
    let registry = Registry::new();
    let mut events = registry.events().subscribe("slow");
    let emitter = emitter(&registry);
    let lost = 5;
    for _ in 0..STREAM_BUFFER + lost {
        emitter.rejected(&rejection(), false);
    }
    assert_eq!(events.next().await, Some(Received::Lagged(lost as u64)));
    let Some(Received::Event(event)) = events.next().await else { panic!("the oldest that is left") };
    assert_eq!(event.seq, lost as u64 + 1);
    assert_eq!(registry.events().lost(), [("slow", lost as u64)]);
}

#[tokio::test]
async fn a_stream_ends_with_its_registry_and_its_policies() {
    let registry = Registry::new();
    let emitter = emitter(&registry);
    let mut events = registry.events().subscribe("test");
    drop(registry);
    emitter.config_changed();
    assert!(matches!(events.next().await, Some(Received::Event(_))));
    drop(emitter);
    assert_eq!(events.next().await, None);
}

#[test]
fn a_dropped_stream_leaves_no_audience() {
    let registry = Registry::new();
    drop(registry.events().subscribe("test"));
    assert!(!has_audience(&registry));
    emitter(&registry).config_changed();
}

/// Listeners come and go on one thread while others emit.
#[test]
fn coming_and_going_loses_nobody_else() {
    let registry = Registry::new();
    let (steady, _subscription) = counting(&registry, Interest::All);
    let last = Arc::new(AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let emitter = emitter(&registry);
                (0..500).for_each(|_| emitter.rejected(&rejection(), true));
                last.fetch_add(500, Relaxed);
            });
        }
        (0..500).for_each(|_| drop(counting(&registry, Interest::All)));
    });
    assert_eq!(u64::from(steady.load(Relaxed)), last.load(Relaxed));
}

#[test]
fn events_read_as_sentences() {
    let registry = Registry::new();
    let told = Arc::new(Mutex::new(Vec::new()));
    let inside = told.clone();
    let _subscription = registry.events().listen(Interest::All, move |event| {
        inside.lock().unwrap().push(event.to_string());
    });
    emitter(&registry).config_changed();
    emitter(&registry).rejected(&rejection(), false);
    let breaker = Breaker::builder("x").consecutive_failures(1).registry(&registry).build().unwrap();
    breaker.try_admit().unwrap().settle(Failure::new(FailureKind::Timeout).into());
    breaker.isolate();
    assert_eq!(
        *told.lock().unwrap(),
        [
            "breaker 'x' has new settings",
            "breaker 'x' would have refused: it is full: 1 in flight, 0 queued",
            "breaker 'x' was closed and is open: 1 of 1 calls failed (consecutive_failures 1), last failure timeout",
            "breaker 'x' was open and is isolated",
        ]
    );
}
