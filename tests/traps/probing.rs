//! The half-open breaker: who may probe, and what a probe that ends in no answer means.

use std::{convert::Infallible, sync::Arc};

use portcullis::{BoxError, Breaker, BreakerLayer, Ticket, Verdict, breaker::State};
use portcullis_testkit::script::{self, Step};
use portcullis_tests::net::{Gate, soon};
use tokio::{sync::Barrier, task::JoinHandle};
use tower::{ServiceBuilder, ServiceExt};

use crate::common::{healthy, ms, refused, secs, settle};
use tokio::time::sleep;

/// A half-open breaker without permits never recovers.
#[test]
fn t06_no_permits_is_an_error_when_it_is_built() {
    let error = Breaker::builder("t06").permits(0).build().unwrap_err();
    assert_eq!((error.field(), error.value(), error.allowed()), ("breaker.permits", "0", "1 to 1000"));

    let error = Breaker::builder("t06").successes(0).build().unwrap_err();
    assert_eq!(error.field(), "breaker.successes");
}

/// One probe that hangs, and it still refuses at sixty times the open time.
#[tokio::test(start_paused = true)]
async fn t07_a_hung_probe_blocks_no_longer_than_its_lease() {
    let breaker = Breaker::builder("t07").permits(1).successes(1).open_for_exactly(secs(1)).lease(secs(2));
    let breaker = breaker.build().unwrap();
    let (inner, dependency) = healthy();
    dependency.push(Step::hang());
    let service = ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone())).service(inner);
    breaker.trip();
    sleep(secs(1)).await;
    let hung = tokio::spawn(service.clone().oneshot(0));
    settle().await;

    tokio::time::sleep(ms(1_900)).await;
    assert!(refused(&service.clone().oneshot(1).await), "the probe is out");
    sleep(ms(100)).await;
    assert!(refused(&service.clone().oneshot(2).await), "no answer is an answer: open again");
    sleep(secs(1)).await;
    assert!(soon(service.oneshot(3)).await.is_ok(), "the next probe goes");

    assert_eq!(breaker.state(), State::Closed);
    hung.abort();
}

/// A hung probe does not take the place of the others.
#[tokio::test(start_paused = true)]
async fn t07_the_other_permits_probe_on_while_one_hangs() {
    let breaker = Breaker::builder("t07").permits(2).successes(2).open_for(secs(1)).build().unwrap();
    breaker.trip();
    sleep(secs(1)).await;
    let _hung = breaker.try_admit().unwrap();

    for _ in 0..2 {
        breaker.try_admit().unwrap().settle(Verdict::Success);
    }

    assert_eq!(breaker.state(), State::Closed);
}

/// Half-open, and a thousand calls go through at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn t32_no_more_probes_than_permits_however_many_call() {
    const CALLS: usize = 1000;
    for round in 0..10 {
        let breaker = Breaker::builder("t32").permits(3).open_for(ms(1)).build().unwrap();
        let gate = Gate::default();
        breaker.trip();
        while breaker.is_refusing() {
            tokio::task::yield_now().await;
        }

        let calls = at_once(CALLS, &breaker, &gate);
        soon(async {
            while breaker.status().refused as usize + gate.inside() < CALLS {
                tokio::task::yield_now().await;
            }
        })
        .await;

        assert_eq!((gate.most(), breaker.status().probes_in_flight), (3, 3), "round {round}");
        gate.open();
        let passed = futures_util::future::join_all(calls).await;
        assert_eq!(passed.into_iter().filter(|passed| *passed.as_ref().unwrap()).count(), 3);
        assert_eq!(breaker.state(), State::Closed);
    }
}

/// So many tasks that call through the breaker in the same moment, and stay until the gate opens. Whether
/// each was let through.
fn at_once(calls: usize, breaker: &Breaker, gate: &Gate) -> Vec<JoinHandle<bool>> {
    let (gate, start) = (gate.clone(), Arc::new(Barrier::new(calls)));
    let service =
        ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone())).service_fn(move |n: usize| {
            let gate = gate.clone();
            async move {
                gate.pass().await;
                Ok::<_, Infallible>(n)
            }
        });
    let call = |n| {
        let (start, call) = (start.clone(), service.clone().oneshot(n));
        tokio::spawn(async move {
            start.wait().await;
            call.await.is_ok()
        })
    };
    (0..calls).map(call).collect()
}

/// A probe whose caller has gone is taken for a success, and the circuit closes.
#[tokio::test(start_paused = true)]
async fn t40_a_cancelled_probe_says_nothing() {
    let breaker = Breaker::builder("t40").permits(1).successes(1).open_for(secs(1)).build().unwrap();
    let (inner, dependency) = script::of::<u32, u32, BoxError>([Step::hang(), Step::err("down".into())]);
    let service = ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone())).service(inner);
    breaker.trip();
    sleep(secs(1)).await;
    let probe = tokio::spawn(service.clone().oneshot(0));
    settle().await;
    assert_eq!(breaker.status().probes_in_flight, 1);

    probe.abort();
    assert!(probe.await.unwrap_err().is_cancelled());

    let status = breaker.status();
    assert_eq!((status.state, status.probe_successes, status.probes_in_flight), (State::HalfOpen, 0, 0));
    assert!(!refused(&service.oneshot(1).await), "its permit is free again");
    assert_eq!((breaker.state(), dependency.tally().calls), (State::Open, 2), "the next probe decides");
}
