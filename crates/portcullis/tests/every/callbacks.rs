//! T39: a listener that does everything to every policy, at every kind of event. A callback under a lock would stand still.

use std::{
    collections::BTreeSet,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
        mpsc,
    },
    time::Duration,
};

use portcullis::{
    AdaptiveLimit, BoxError, Breaker, Bulkhead, Chaos, Coalesce, Drain, FailureKind, Fallback, Hedge,
    LoadShed, Mode, Outliers, Probe, Registry, Rejection, RetryPolicy, ThreadPool, Ticket, Verdict, adaptive,
    chaos,
    event::{Audit, Interest},
    hedge,
    metrics::{Measures, Metric},
};
use tokio::time::sleep;

use super::policies::every;

/// Takes whatever is measured.
struct Nothing;

impl Measures for Nothing {
    fn counter(&mut self, _: &'static Metric, _: &[&'static str], _: u64) {}

    fn gauge(&mut self, _: &'static Metric, _: &[&'static str], _: f64) {}
}

/// Everything that a registry can do to its policies; leaves them as they were built.
fn do_everything(registry: &Registry) {
    let _ = (registry.snapshot(), registry.level(), registry.events().recent(), registry.stopped());
    for policy in registry.policies() {
        let _ = (policy.snapshot(), policy.recent_events(), policy.facts(), policy.actions());
        policy.measure(&mut Nothing);
        let mode = policy.mode();
        for other in [Mode::Disabled, Mode::Shadow, Mode::EnforcePercent(50)] {
            let _ = policy.set_mode(other);
        }
        if let Some(mode) = mode {
            policy.set_mode(mode).unwrap();
        }
        policy.trip();
        policy.reset();
        policy.isolate();
        policy.release();
    }
    registry.audit_all(Audit::new("a listener", "handled"));
    registry.stop_all("for a listener");
    registry.release_all();
    drop(registry.bulkhead("made by a listener"));
}

async fn fails() -> Result<u32, BoxError> {
    Err("broken".into())
}

fn found<T: portcullis::registry::Handle>(registry: &Registry, name: &str) -> T {
    registry.find(name).unwrap()
}

/// Lets every kind of event happen, each by the policy that it comes from.
async fn let_everything_happen(registry: &Registry) {
    changes_of_state(registry).await;
    attempts(registry).await;
    answers(registry).await;
    limits(registry).await;
    let drain: Drain = found(registry, "drain");
    drain.begin();
    sleep(Duration::from_secs(120)).await;
    // What a listener does not take back.
    assert!(drain.try_admit().is_err());
}

async fn changes_of_state(registry: &Registry) {
    let breaker: Breaker = found(registry, "breaker");
    breaker.isolate();
    let outliers: Outliers = found(registry, "balance");
    outliers.eject("a", Duration::from_secs(1));
    outliers.restore("a");
    let probe: Probe = found(registry, "probe");
    for _ in 0..10 {
        probe.observe(portcullis::Failure::new(FailureKind::Unavailable).into());
    }
    let chaos: Chaos = found(registry, "chaos");
    chaos.reconfigure(chaos::Config { enabled: true, ..chaos.config() }).unwrap();
    let met: Result<(), Rejection> = chaos.call(|| async { Ok(()) }).await;
    let _ = met;
    chaos.set_enabled(false);
}

async fn attempts(registry: &Registry) {
    let retry: RetryPolicy = found(registry, "retry");
    let _ = retry.call_idempotent(|_| fails()).await;
    let hedge: Hedge = found(registry, "hedge");
    let delay = hedge::Delay::Fixed(Duration::from_millis(1));
    hedge.reconfigure(hedge::Config { delay, ..(*hedge.config()).clone() }).unwrap();
    let slow = |_| async {
        sleep(Duration::from_secs(1)).await;
        Ok::<_, BoxError>(1)
    };
    let _ = hedge.call(slow).await;
    let pool: ThreadPool = found(registry, "pool");
    let panics = || -> Result<(), Rejection> { panic!("as it should") };
    let _ = pool.run(panics).await;
    let connect = tower::service_fn(|()| async {
        Ok::<_, BoxError>(tower::service_fn(|()| async { Ok::<_, BoxError>(()) }))
    });
    let reconnect: portcullis::Reconnect = found(registry, "reconnect");
    let mut service = reconnect.service(connect, ());
    let _ = tower::ServiceExt::<()>::ready(&mut service).await.map(drop);
}

async fn answers(registry: &Registry) {
    let fallback: Fallback = found(registry, "fallback");
    assert_eq!(fallback.call(fails, |_| async { Ok(1) }).await.unwrap(), 1);
    let coalesce: Coalesce = found(registry, "coalesce");
    let leads = coalesce.call("key", pending::<Result<u32, Rejection>>);
    let mut leads = tokio_test::task::spawn(leads);
    assert!(leads.poll().is_pending());
    let mut waits = tokio_test::task::spawn(coalesce.call("key", || async { Ok::<_, Rejection>(1_u32) }));
    assert!(waits.poll().is_pending());
    drop(leads);
    let _ = waits.await;
}

async fn limits(registry: &Registry) {
    let bulkhead: Bulkhead = found(registry, "bulkhead");
    bulkhead.try_admit().unwrap().settle(Verdict::Success);
    let adaptive: AdaptiveLimit = found(registry, "adaptive");
    let before = adaptive.config();
    adaptive.reconfigure(adaptive::Config { min: 1, max: 2, initial: 1, ..before }).unwrap();
    let shed: LoadShed = found(registry, "shed");
    // A clock that jumps is what a task sees that was not run: this runtime is late.
    for _ in 0..100 {
        let _ = shed.try_admit();
        tokio::time::advance(Duration::from_millis(60)).await;
        tokio::task::yield_now().await;
    }
}

/// What has to be heard.
const KINDS: [&str; 20] = [
    "audit",
    "config_changed",
    "connection",
    "drain_changed",
    "ejected",
    "fallback",
    "health_changed",
    "hedge",
    "injected",
    "limit_changed",
    "overload_changed",
    "panicked",
    "promoted",
    "rejected",
    "released",
    "retried",
    "retry",
    "returned",
    "state_change",
    "stopped",
];

/// On a thread with a runtime of its own: what stands still must fail, and not hang.
fn apart<Fut: Future<Output = ()>>(story: impl FnOnce() -> Fut + Send + 'static) {
    let (done, end) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.unwrap().block_on(story());
        done.send(()).unwrap();
    });
    end.recv_timeout(Duration::from_secs(120)).expect("it stands still, or has panicked");
}

#[test]
fn t39_a_listener_may_do_everything_to_every_policy_at_every_kind_of_event() {
    apart(|| async {
        let registry = Registry::new();
        let _all = every(&registry);
        let heard = Arc::new(Mutex::new(BTreeSet::new()));
        // Only looks on, as what writes logs does.
        let kinds = heard.clone();
        let looks_on = registry.events().listen(Interest::All, move |event| {
            kinds.lock().unwrap().insert(event.what.as_str());
        });
        let (of, busy, times) = (registry.clone(), AtomicBool::new(false), Arc::new(AtomicU32::new(0)));
        let inside = times.clone();
        let acts = registry.events().listen(Interest::All, move |_| {
            if !busy.swap(true, SeqCst) {
                inside.fetch_add(1, SeqCst);
                do_everything(&of);
                busy.store(false, SeqCst);
            }
        });
        let_everything_happen(&registry).await;
        let heard: Vec<_> = heard.lock().unwrap().iter().copied().collect();
        assert_eq!(heard, KINDS);
        assert!(times.load(SeqCst) > 20 && acts.is_active() && looks_on.is_active());
    });
}

/// It answered each change by a change, until the stack was at its end.
#[test]
fn t39_a_listener_that_answers_every_change_by_changes_comes_to_an_end() {
    apart(|| async {
        let registry = Registry::new();
        let all = every(&registry);
        let (of, times) = (registry.clone(), Arc::new(AtomicU32::new(0)));
        let inside = times.clone();
        let acts = registry.events().listen(Interest::All, move |_| {
            inside.fetch_add(1, SeqCst);
            do_everything(&of);
        });
        all[0].policy.isolate();
        let first = times.load(SeqCst);
        assert!(first > 1 && acts.is_active(), "it hears of what it does itself");
        assert_eq!(all[0].policy.snapshot().state, "closed", "it has the last word");
        all[0].policy.isolate();
        assert_eq!(times.load(SeqCst), 2 * first, "the next event begins anew");
    });
}
