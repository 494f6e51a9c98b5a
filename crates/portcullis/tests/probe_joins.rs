//! What a probe does with breakers, calls and checks; when it asks, what it tells, and what ends it.

use std::{
    convert::Infallible,
    future::ready,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use portcullis::{
    BoxError, Breaker, Level, PolicyKind, Probe, ProbeLayer, Registry, Verdict,
    breaker::State,
    event::{EventKind, Interest},
    probe::{Config, PassiveLayer, ProbeBuilder},
};
use tokio::{
    runtime::Handle,
    time::{Instant, sleep},
};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn, util::BoxCloneService};

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn probe(registry: &Registry) -> ProbeBuilder {
    Probe::builder("x").registry(registry)
}

/// A dependency that is up or down as one says.
#[derive(Clone)]
struct Dependency(Arc<AtomicBool>, Arc<AtomicU32>);

impl Dependency {
    fn up() -> Self {
        Self(Arc::new(AtomicBool::new(true)), Arc::default())
    }

    fn set(&self, up: bool) {
        self.0.store(up, Relaxed);
    }

    fn answer(&self) -> Result<(), BoxError> {
        self.1.fetch_add(1, Relaxed);
        if self.0.load(Relaxed) { Ok(()) } else { Err("down".into()) }
    }

    fn asked(&self) -> u32 {
        self.1.load(Relaxed)
    }

    fn spawn(&self, probe: &Probe) {
        let dependency = self.clone();
        probe.spawn(move || ready(dependency.answer()));
    }
}

/// Gates: it neither opens a closed breaker nor closes an open one, but lets no call try what is known to be down.
#[tokio::test(start_paused = true)]
async fn a_gate_keeps_an_open_breaker_open_while_it_is_down() {
    let (registry, dependency) = (Registry::new(), Dependency::up());
    let breaker =
        Breaker::builder("x").open_for_exactly(secs(3)).successes(1).registry(&registry).build().unwrap();
    let probe = probe(&registry).gate(&breaker).build().unwrap();
    dependency.spawn(&probe);
    dependency.set(false);
    sleep(secs(30)).await;
    assert!(!probe.status().up);
    assert_eq!(breaker.state(), State::Closed, "calls may work where probes do not");

    breaker.trip();
    for _ in 0..60 {
        sleep(secs(1)).await;
        assert!(breaker.try_admit().is_err(), "no call tries it");
    }
    dependency.set(true);
    sleep(secs(6)).await;
    assert!(probe.status().up);
    assert_ne!(breaker.state(), State::Closed, "a call finds that out");
    breaker.try_admit().unwrap().settle_success();
    assert_eq!(breaker.state(), State::Closed);
}

trait SettleSuccess {
    fn settle_success(self);
}

impl<T: portcullis::Ticket> SettleSuccess for T {
    fn settle_success(mut self) {
        self.settle(Verdict::Success);
    }
}

#[tokio::test(start_paused = true)]
async fn feeding_opens_and_closes_and_watching_does_neither() {
    let (registry, dependency) = (Registry::new(), Dependency::up());
    let [fed, watched] =
        ["fed", "watched"].map(|name| Breaker::builder(name).registry(&registry).build().unwrap());
    let feeding = probe(&registry).feed(&fed).build().unwrap();
    let watching = Probe::builder("y").registry(&registry).build().unwrap();
    dependency.spawn(&feeding);
    dependency.spawn(&watching);
    dependency.set(false);
    sleep(secs(20)).await;
    assert_eq!((fed.state(), watched.state()), (State::Open, State::Closed));
    dependency.set(true);
    sleep(secs(20)).await;
    assert_eq!((fed.state(), watched.state()), (State::Closed, State::Closed));
}

/// An outage under load is known before the next probe; and its end likewise.
#[tokio::test(start_paused = true)]
async fn results_of_calls_join_those_of_the_probe() {
    let (registry, dependency) = (Registry::new(), Dependency::up());
    let breaker = Breaker::builder("x").registry(&registry).build().unwrap();
    let probe =
        probe(&registry).interval(secs(3600)).interval_when_down(secs(3600)).feed(&breaker).build().unwrap();
    let inner = dependency.clone();
    let service = ServiceBuilder::new()
        .layer(PassiveLayer::new(probe.clone()))
        .service(service_fn(move |()| ready(inner.answer())));

    dependency.set(false);
    for n in 1..=3 {
        assert!(probe.status().up);
        service.clone().oneshot(()).await.unwrap_err();
        assert_eq!(probe.status().against, n % 3);
    }
    assert_eq!((probe.status().up, breaker.state()), (false, State::Open));
    dependency.set(true);
    for _ in 0..2 {
        service.clone().oneshot(()).await.unwrap();
    }
    assert_eq!((probe.status().up, breaker.state()), (true, State::Closed));
}

/// A success between two failures starts the count anew, as a probe's does; what says nothing does not.
#[test]
fn only_what_says_something_counts() {
    let registry = Registry::new();
    let probe = probe(&registry).build().unwrap();
    let failure = Verdict::from(portcullis::Failure::new(portcullis::FailureKind::Timeout));
    for verdicts in [[failure, failure, Verdict::Success], [failure, Verdict::Success, failure]] {
        verdicts.into_iter().for_each(|verdict| probe.observe(verdict));
        assert!(probe.status().up);
    }
    for verdict in [failure, Verdict::Ignored, Verdict::Ignored] {
        probe.observe(verdict);
    }
    assert_eq!(probe.status().against, 2);
    probe.observe(failure);
    assert!(!probe.status().up);
}

/// What an answer says, not only that there is one.
#[tokio::test(start_paused = true)]
async fn answers_may_be_read() {
    let registry = Registry::new();
    let probe = probe(&registry).build().unwrap();
    let layer = ProbeLayer::new(probe.clone(), || ()).reading(|lag: u32| async move {
        if lag < 100 { Ok(()) } else { Err(BoxError::from("too far behind")) }
    });
    let lag = Arc::new(AtomicU32::new(0));
    let seen = lag.clone();
    let _service = layer.layer(service_fn(move |()| ready(Ok::<_, BoxError>(seen.load(Relaxed)))));
    sleep(secs(10)).await;
    assert!(probe.status().up);
    lag.store(1000, Relaxed);
    sleep(secs(10)).await;
    assert_eq!((probe.status().up, probe.status().error.as_deref()), (false, Some("too far behind")));
}

#[tokio::test(start_paused = true)]
async fn a_check_that_calls_it_critical_has_failed() {
    let registry = Registry::new();
    let probe = probe(&registry).build().unwrap();
    let level = Arc::new(Mutex::new(Level::Degraded));
    let told = level.clone();
    probe.spawn_check(move || ready(Ok::<_, Infallible>(*told.lock().unwrap())));
    sleep(secs(10)).await;
    assert!(probe.status().up, "part of it works");
    *level.lock().unwrap() = Level::Critical;
    sleep(secs(10)).await;
    assert!(!probe.status().up);
}

/// Jitter only shortens; a bad result is followed up sooner.
#[tokio::test(start_paused = true)]
async fn it_asks_faster_while_the_answer_is_bad() {
    let (registry, dependency) = (Registry::new(), Dependency::up());
    let config = Config { interval: secs(10), interval_when_down: secs(1), jitter: 0.0, ..Config::default() };
    let probe = probe(&registry).config(config).build().unwrap();
    dependency.spawn(&probe);
    sleep(Duration::from_millis(100_500)).await;
    assert_eq!(dependency.asked(), 11);
    dependency.set(false);
    sleep(secs(10)).await;
    let before = dependency.asked();
    sleep(secs(10)).await;
    assert_eq!(dependency.asked() - before, 10);
    dependency.set(true);
    sleep(secs(3)).await;
    let before = dependency.asked();
    sleep(secs(100)).await;
    assert_eq!(dependency.asked() - before, 10);
}

#[tokio::test(start_paused = true)]
async fn probes_of_many_are_spread_by_jitter() {
    let times = Arc::new(Mutex::new(Vec::new()));
    let (registry, began) = (Registry::new(), Instant::now());
    let probes: Vec<_> = (0..200)
        .map(|_| {
            let (probe, times) =
                (probe(&registry).interval(secs(10)).jitter(0.5).build().unwrap(), times.clone());
            probe.spawn(move || {
                times.lock().unwrap().push(began.elapsed());
                ready(Ok::<_, Infallible>(()))
            });
            probe
        })
        .collect();
    sleep(Duration::from_millis(10_500)).await;
    let second: Vec<_> = times.lock().unwrap().iter().copied().filter(|at| *at > secs(1)).collect();
    assert!(second.len() >= 200 && second.iter().all(|at| *at >= secs(5)), "{second:?}");
    let early = second.iter().filter(|at| **at < Duration::from_millis(7_500)).count();
    assert!((60..=140).contains(&early), "{early} in the first half of what is left to chance");
    drop(probes);
}

#[tokio::test(start_paused = true)]
async fn new_rules_are_taken_and_changes_are_told() {
    let (registry, dependency) = (Registry::new(), Dependency::up());
    let probe = probe(&registry).down_after(1000).interval_when_down(secs(1)).build().unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let into = told.clone();
    let asked = probe.clone();
    let _subscription = registry.events().listen(Interest::Changes, move |event| {
        assert_eq!(event.kind, PolicyKind::Probe);
        // T39: it may ask the policy it hears of.
        into.lock().unwrap().push((event.what.as_str(), asked.status().up));
    });
    dependency.spawn(&probe);
    dependency.set(false);
    sleep(secs(60)).await;
    assert!(probe.status().up);

    probe.reconfigure(Config { down_after: 1, up_after: 1, critical: true, ..probe.config() }).unwrap();
    sleep(secs(2)).await;
    assert!(!probe.status().up);
    assert_eq!(registry.level(), Level::Critical);
    let error = probe.reconfigure(Config { jitter: 2.0, ..probe.config() }).unwrap_err();
    assert_eq!(error.field(), "probe.jitter");
    probe.reconfigure(Config { critical: false, ..probe.config() }).unwrap();
    assert_eq!(registry.level(), Level::Degraded);

    let words = [
        ("config_changed", true),
        ("health_changed", false),
        ("config_changed", false),
        ("health_changed", false),
    ];
    assert_eq!(*told.lock().unwrap(), words);
    let events = registry.get(PolicyKind::Probe, "x").unwrap().recent_events();
    let EventKind::HealthChanged { from, to, message } = &events[1].what else { panic!("{events:?}") };
    assert_eq!((*from, *to, message.as_deref()), (Level::Healthy, Level::Critical, Some("down")));
}

/// Endpoints that come and go, each probed through its own service: nothing is left of those that are gone.
#[tokio::test(start_paused = true)]
async fn endpoints_that_change_leave_no_tasks() {
    let registry = Registry::new();
    let before = Handle::current().metrics().num_alive_tasks();
    // In either order: that of every second would make each probe count twice, but it leaves nothing.
    let endpoint = |n: u32| {
        let probe = Probe::builder(format!("endpoint-{n}")).registry(&registry).build().unwrap();
        let (asks, joins) = (ProbeLayer::new(probe.clone(), || ()), PassiveLayer::new(probe));
        let dependency = service_fn(|()| async {
            sleep(Duration::from_millis(300)).await;
            Ok::<_, BoxError>(())
        });
        if n % 2 == 0 {
            BoxCloneService::new(joins.layer(asks.layer(dependency)))
        } else {
            BoxCloneService::new(asks.layer(joins.layer(dependency)))
        }
    };
    let mut endpoints: Vec<_> = (0..5).map(endpoint).collect();
    for n in 5..500 {
        endpoints.remove(0);
        endpoints.push(endpoint(n));
        sleep(Duration::from_millis(100)).await;
        endpoints[4].clone().oneshot(()).await.unwrap();
    }
    assert_eq!(Handle::current().metrics().num_alive_tasks(), before + 5);
    assert_eq!(registry.snapshot().len(), 5);
    drop(endpoints);
    sleep(secs(1)).await;
    assert_eq!(Handle::current().metrics().num_alive_tasks(), before);
    assert!(registry.snapshot().is_empty());
}

/// Calls find an outage between two probes: its end is looked for as if a probe had found it, for with the breaker open
/// no call will.
#[tokio::test(start_paused = true)]
async fn an_outage_that_calls_find_is_asked_after_as_one_that_probes_find() {
    let (registry, dependency) = (Registry::new(), Dependency::up());
    let breaker = Breaker::builder("x").open_for_exactly(secs(3600)).registry(&registry).build().unwrap();
    let probe = probe(&registry).interval(secs(3600)).jitter(0.0).feed(&breaker).build().unwrap();
    dependency.spawn(&probe);
    sleep(secs(100)).await;
    assert_eq!(dependency.asked(), 1);

    dependency.set(false);
    let failure = Verdict::from(portcullis::Failure::new(portcullis::FailureKind::Timeout));
    (0..3).for_each(|_| probe.observe(failure));
    assert_eq!((probe.status().up, breaker.state()), (false, State::Open));
    sleep(Duration::from_millis(9_500)).await;
    assert_eq!(dependency.asked(), 11, "at once, and every second");
    dependency.set(true);
    sleep(secs(2)).await;
    assert_eq!((probe.status().up, breaker.state()), (true, State::Closed));
}

/// However often calls change the judgement, it asks no more often than its rules say.
#[tokio::test(start_paused = true)]
async fn calls_that_flap_do_not_make_it_ask_more_often() {
    let (registry, dependency) = (Registry::new(), Dependency::up());
    let probe = probe(&registry).jitter(0.0).down_after(1).up_after(1).build().unwrap();
    dependency.spawn(&probe);
    let failure = Verdict::from(portcullis::Failure::new(portcullis::FailureKind::Timeout));
    for _ in 0..1000 {
        probe.observe(failure);
        probe.observe(Verdict::Success);
        sleep(Duration::from_millis(10)).await;
    }
    assert!(dependency.asked() <= 11, "{}", dependency.asked());
}

/// Rules with a day between two probes are left when one says so, and not after a day.
#[tokio::test(start_paused = true)]
async fn new_rules_plan_the_next_probe_anew() {
    let (registry, dependency) = (Registry::new(), Dependency::up());
    let probe = probe(&registry).interval(secs(86_400)).jitter(0.0).build().unwrap();
    dependency.spawn(&probe);
    sleep(secs(60)).await;
    assert_eq!(dependency.asked(), 1);
    probe.reconfigure(Config { interval: secs(100), ..probe.config() }).unwrap();
    sleep(secs(39)).await;
    assert_eq!(dependency.asked(), 1, "a hundred seconds after the last");
    sleep(secs(2)).await;
    assert_eq!(dependency.asked(), 2);
    for _ in 0..50 {
        probe.reconfigure(probe.config()).unwrap();
        sleep(secs(1)).await;
    }
    assert_eq!(dependency.asked(), 2, "to be told often is no reason to ask");
}

/// A probe that nobody starts: calls alone say how the dependency is. The document called it a warning.
#[test]
fn what_calls_alone_have_found_is_told() {
    let registry = Registry::new();
    let probe = probe(&registry).critical(true).build().unwrap();
    let failure = Verdict::from(portcullis::Failure::new(portcullis::FailureKind::Timeout));
    assert_eq!((registry.snapshot()[0].state, registry.level()), ("stopped", Level::Warning));
    (0..3).for_each(|_| probe.observe(failure));
    assert_eq!((registry.snapshot()[0].state, registry.level()), ("down", Level::Critical));
}
