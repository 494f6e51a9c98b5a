//! The probe's task: what ends it, what does not, and which results say something.

use std::{
    fmt,
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use portcullis::{
    BoxError, Breaker, BreakerLayer, Bulkhead, BulkheadLayer, Probe, ProbeLayer, Registry, breaker::State,
    registry::Value,
};
use tokio::{runtime::Builder, time::sleep};
use tower::{Layer, ServiceBuilder, service_fn};

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn probe(name: &str) -> portcullis::probe::ProbeBuilder {
    Probe::builder(name).registry(&Registry::new())
}

#[tokio::test(start_paused = true)]
async fn a_check_that_panics_has_failed_and_is_asked_again() {
    let probe = probe("panics").build().unwrap();
    probe.spawn(|| async { panic!("a bug in the check") as Result<(), BoxError> });

    sleep(secs(10)).await;

    let status = probe.status();
    assert!(status.started && !status.up, "{status:?}");
    assert!(status.probes > 3, "{status:?}");
    assert_eq!(status.error.as_deref(), Some("the check panicked: a bug in the check"));
}

#[tokio::test(start_paused = true)]
async fn a_check_that_panics_before_it_waits_has_failed() {
    let probe = probe("panics").build().unwrap();
    let answer = |panics: bool| {
        assert!(!panics, "a bug in the check");
        ready(Ok::<(), BoxError>(()))
    };
    probe.spawn(move || answer(true));

    sleep(secs(10)).await;

    assert!(!probe.status().up);
}

/// An error that looks at the probe that it is the result of.
#[derive(Debug)]
struct Curious(Probe);

impl fmt::Display for Curious {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "after {} probes", self.0.status().probes)
    }
}

impl std::error::Error for Curious {}

/// T39, for errors: one that asks the policy while it is written down.
#[test]
fn an_error_may_ask_the_probe() {
    let (done, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let probe = probe("curious").build().unwrap();
        let asked = probe.clone();
        runtime.block_on(async {
            probe.spawn(move || ready(Err::<(), _>(Curious(asked.clone()))));
            sleep(Duration::from_millis(100)).await;
        });
        done.send(probe.status().error).unwrap();
    });
    let error = wait.recv_timeout(secs(20)).expect("no deadlock");
    assert_eq!(error.as_deref(), Some("after 0 probes"));
}

#[test]
fn a_probe_whose_runtime_is_gone_is_stopped_and_can_be_started_again() {
    let runtime = || Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let probe = probe("restarts").build().unwrap();
    let run = |ok: bool| {
        runtime().block_on(async {
            probe.spawn(move || ready(if ok { Ok(()) } else { Err(BoxError::from("down")) }));
            sleep(secs(20)).await;
            assert!(probe.status().started);
        });
    };

    run(true);
    assert!(!probe.status().started, "nobody asks any more");
    run(false);
    assert!(!probe.status().up, "asked again");
}

/// T11, for probes: a burst that fills the bulkhead says nothing about the dependency.
#[tokio::test(start_paused = true)]
async fn a_probe_that_is_refused_on_its_way_says_nothing() {
    let registry = Registry::new();
    let breaker = Breaker::builder("fed").registry(&registry).build().unwrap();
    let bulkhead = Bulkhead::builder("full").max_in_flight(1).registry(&registry).build().unwrap();
    let probe = probe("refused").feed(&breaker).build().unwrap();
    let taken = bulkhead.try_admit().unwrap();
    let service = ServiceBuilder::new()
        .layer(ProbeLayer::new(probe.clone(), || ()))
        .layer(BulkheadLayer::new(bulkhead))
        .service(service_fn(|()| ready(Ok::<(), BoxError>(()))));

    sleep(secs(20)).await;
    let status = probe.status();
    assert!(status.up && status.against == 0, "{status:?}");
    assert_eq!(status.error.as_deref(), Some("refused or cancelled on its way"));
    assert_eq!(breaker.state(), State::Closed);

    drop(taken);
    sleep(secs(20)).await;
    assert_eq!(probe.status().error, None);
    drop(service);
}

/// Refusals of the breaker that it feeds must not keep it open for ever.
#[tokio::test(start_paused = true)]
async fn a_probe_through_the_breaker_that_it_feeds_finds_the_end_of_an_outage() {
    let breaker = Breaker::builder("fed").registry(&Registry::new()).build().unwrap();
    let probe = probe("outside").feed(&breaker).build().unwrap();
    let asked = Arc::new(AtomicU32::new(0));
    let counted = asked.clone();
    let backend = service_fn(move |()| {
        let down = counted.fetch_add(1, Relaxed) < 5;
        ready(if down { Err(BoxError::from("down")) } else { Ok(()) })
    });
    let layer = ProbeLayer::new(probe.clone(), || ());
    let service = layer.layer(BreakerLayer::new(breaker.clone()).layer(backend));

    sleep(secs(4)).await;
    assert_eq!((probe.status().up, breaker.state()), (false, State::Open));
    sleep(secs(120)).await;
    assert!(probe.status().up, "{:?}", probe.status());
    assert_eq!(breaker.state(), State::Closed);
    drop(service);
}

/// However long it is down: the number that an operator reads must not stop at the threshold.
#[tokio::test(start_paused = true)]
async fn failures_in_a_row_are_counted_on_while_it_is_down() {
    let registry = Registry::new();
    let probe = Probe::builder("down").registry(&registry).build().unwrap();
    let asked = Arc::new(AtomicU32::new(0));
    let counted = asked.clone();
    probe.spawn(move || {
        let down = counted.fetch_add(1, Relaxed) < 10;
        ready(if down { Err(BoxError::from("down")) } else { Ok(()) })
    });
    let failures = || {
        let snapshot = registry.snapshot().pop().unwrap();
        let (_, value) = snapshot.values.iter().find(|(key, _)| *key == "consecutive_failures").unwrap();
        value.clone()
    };

    while asked.load(Relaxed) < 10 {
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(failures(), Value::Count(10));
    while asked.load(Relaxed) < 11 {
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!((probe.status().up, failures()), (false, Value::Count(0)));
}
