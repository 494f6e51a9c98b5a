//! Policies by name, as their own types, made where there are none.

use std::sync::{
    Arc, Barrier, Mutex,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use portcullis::{
    Breaker, Bulkhead, Cache, Chaos, Drain, Fallback, Hedge, KeyedAdaptiveLimit, KeyedBreaker, KeyedBulkhead,
    KeyedHedge, KeyedRateLimit, KeyedRetry, KeyedThrottle, PolicyKind, RateLimit, Registry, RetryBudget,
    RetryPolicy, Timeout,
    event::Interest,
    registry::{Handle, NewIn},
};

use super::policies::every;

/// Asks twice: it is made once, and found by its kind and type.
fn once<T: NewIn>() {
    let registry = Registry::new();
    let made: T = registry.get_or_new("x");
    let before = registry.policies().len();
    let again: T = registry.get_or_new("x");
    assert_eq!(registry.policies().len(), before, "{}", T::KIND);
    assert!(registry.get(T::KIND, "x").is_some(), "{}", T::KIND);
    assert!(registry.find::<T>("x").is_some() && registry.find::<T>("y").is_none(), "{}", T::KIND);
    drop((made, again));
    assert!(registry.find::<T>("x").is_none(), "{} is kept by nobody", T::KIND);
    assert!(registry.policies().is_empty(), "{}", T::KIND);
}

#[tokio::test(start_paused = true)]
async fn each_is_made_once_and_goes_with_its_last_handle() {
    once::<Breaker>();
    once::<KeyedBreaker>();
    once::<Bulkhead>();
    once::<KeyedBulkhead>();
    once::<RetryPolicy>();
    once::<KeyedRetry>();
    once::<Hedge>();
    once::<KeyedHedge>();
    once::<RateLimit>();
    once::<KeyedRateLimit>();
    once::<portcullis::AdaptiveLimit>();
    once::<KeyedAdaptiveLimit>();
    once::<portcullis::Throttle>();
    once::<KeyedThrottle>();
    once::<portcullis::LoadShed>();
    once::<portcullis::ThreadPool>();
    once::<Fallback>();
    once::<portcullis::Outliers>();
    once::<portcullis::Reconnect>();
    once::<portcullis::Coalesce>();
    once::<portcullis::Executor>();
    once::<Drain>();
    once::<Cache<Box<str>, u32>>();
}

fn finds<T: Handle>(registry: &Registry, name: &str) -> bool {
    registry.find::<T>(name).is_some()
}

/// Those that are not made by a name are found by theirs; and none as what it is not.
#[tokio::test(start_paused = true)]
async fn each_is_found_as_what_it_is() {
    let registry = Registry::new();
    let _kept = every(&registry);
    assert!(finds::<Timeout>(&registry, "timeout") && finds::<Chaos>(&registry, "chaos"));
    assert!(finds::<RetryBudget>(&registry, "budget") && finds::<portcullis::Probe>(&registry, "probe"));
    assert!(finds::<Breaker>(&registry, "breaker") && finds::<KeyedBreaker>(&registry, "keyed breaker"));
    assert!(!finds::<KeyedBreaker>(&registry, "breaker") && !finds::<Breaker>(&registry, "keyed breaker"));
    assert!(!finds::<KeyedBreaker<u64>>(&registry, "keyed breaker"), "keys are part of the type");
    assert!(!finds::<Cache<Box<str>, u64>>(&registry, "cache"), "and so is what a cache keeps");
}

#[test]
fn the_youngest_of_a_name_is_found() {
    let registry = Registry::new();
    let [old, young] = [0, 1].map(|_| Breaker::builder("x").registry(&registry).build().unwrap());
    registry.breaker("x").trip();
    assert!(!old.is_refusing() && young.is_refusing());
}

/// Two who asked at once could get one each, and each would see half of the failures.
#[test]
fn who_ask_at_the_same_time_get_the_same() {
    const THREADS: usize = 4;
    for _ in 0..200 {
        let (registry, start) = (Registry::new(), Barrier::new(THREADS));
        let got = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    start.wait();
                    let breaker = registry.breaker("x");
                    got.lock().unwrap().push(breaker);
                });
            }
        });
        let got = got.into_inner().unwrap();
        got[0].trip();
        assert!(got.iter().all(Breaker::is_refusing));
        assert_eq!(registry.policies().len(), 1);
    }
}

#[test]
fn what_is_made_while_everything_is_stopped_is_stopped() {
    let registry = Registry::new();
    registry.stop_all("the vault is open");
    let bulkhead = registry.bulkhead("x");
    assert_eq!(bulkhead.try_admit().unwrap_err().to_string(), "bulkhead 'x' is stopped: the vault is open");
}

#[test]
fn a_retry_comes_with_its_budget() {
    let registry = Registry::new();
    let _retry = registry.retry("x");
    assert!(registry.get(PolicyKind::Budget, "x").is_some());
}

/// T39: a policy that is made tells that it is stopped, and who hears it asks for others.
#[test]
fn t39_who_hears_of_one_may_ask_for_another() {
    let registry = Registry::new();
    let (of, heard) = (registry.clone(), Arc::new(AtomicU32::new(0)));
    let inside = heard.clone();
    let subscription = registry.events().listen(Interest::All, move |_| {
        if inside.fetch_add(1, Relaxed) < 3 {
            drop(of.bulkhead("another"));
            drop(of.find::<Breaker>("x"));
        }
    });
    registry.stop_all("the vault is open");
    drop(registry.bulkhead("x"));
    assert!(heard.load(Relaxed) >= 2 && subscription.is_active());
}

#[test]
fn an_event_of_what_was_made_reaches_the_registry_it_was_made_in() {
    let registry = Registry::new();
    let breaker = registry.breaker("x");
    breaker.trip();
    assert_eq!(registry.events().recent().len(), 1);
    assert_eq!(&*registry.snapshot()[0].name, "x");
}
