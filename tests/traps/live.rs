//! T43: a change of the rules while calls flow that loses the window, the open state or the handles.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use portcullis::{
    Breaker, BreakerLayer, Failure, FailureKind, Ticket, Verdict,
    breaker::{Config, Mode, SlowRule, State, TimeRule},
};
use portcullis_tests::net::soon;
use tokio::time::sleep;
use tower::{Service, ServiceBuilder, ServiceExt};

use crate::common::{failing, healthy, ms, refused, rejection, secs};

fn failure() -> Verdict {
    Failure::new(FailureKind::Timeout).into()
}

/// Changes some of the rules.
fn change(breaker: &Breaker, change: impl FnOnce(&mut Config)) {
    let mut config = (*breaker.config()).clone();
    change(&mut config);
    breaker.reconfigure(config).unwrap();
}

/// Settles so many calls.
fn calls(breaker: &Breaker, calls: u32, verdict: Verdict) {
    for _ in 0..calls {
        breaker.try_admit().unwrap().settle(verdict);
    }
}

/// Failures from before the change count after it, in a row and as a share, of the calls and of the time.
#[tokio::test(start_paused = true)]
async fn t43_failures_from_before_the_change_count_after_it() {
    let breaker = Breaker::builder("t43").no_failure_ratio().build().unwrap();
    calls(&breaker, 4, failure());
    change(&breaker, |config| config.window = 500);
    calls(&breaker, 1, failure());
    assert_eq!((breaker.state(), breaker.status().window_failures), (State::Open, 5), "in a row");

    let breaker = Breaker::builder("t43").no_consecutive_failures().build().unwrap();
    calls(&breaker, 60, Verdict::Success);
    calls(&breaker, 45, failure());
    assert_eq!((breaker.status().window_calls, breaker.status().window_failures), (100, 45));
    change(&breaker, |config| config.window = 80);
    assert_eq!((breaker.status().window_calls, breaker.status().window_failures), (80, 45));
    calls(&breaker, 1, failure());
    assert_eq!((breaker.state(), breaker.status().window_failures), (State::Open, 46), "of the last 80");
}

#[tokio::test(start_paused = true)]
async fn t43_the_window_of_time_is_kept_too() {
    let rule = TimeRule { span: secs(10), minimum_calls: 20, ..TimeRule::default() };
    let builder = Breaker::builder("t43").no_consecutive_failures().no_failure_ratio();
    let breaker = builder.time_rule(rule).build().unwrap();
    calls(&breaker, 10, Verdict::Success);
    sleep(secs(3)).await;
    calls(&breaker, 9, failure());

    for (span, buckets) in [(secs(60), 60), (secs(20), 7), (secs(30), 10)] {
        change(&breaker, |config| config.time_window = Some(TimeRule { span, buckets, ..rule }));
        let recent = breaker.status().recent.unwrap();
        assert_eq!((recent.calls, recent.failures), (19, 9), "over {span:?}");
    }
    calls(&breaker, 1, failure());

    assert_eq!(breaker.state(), State::Open);
}

/// An open breaker stays open for as long as it was to, and a half-open one knows its probes.
#[tokio::test(start_paused = true)]
async fn t43_the_state_is_kept() {
    let breaker = Breaker::builder("t43").open_for_exactly(secs(10)).permits(2).successes(2).build().unwrap();
    calls(&breaker, 5, failure());
    sleep(secs(4)).await;
    let before = rejection(breaker.try_admit().map_err(Into::into));

    change(&breaker, |config| {
        (config.window, config.time_window) = (500, Some(TimeRule::default()));
        (config.open_for, config.slow_calls) = (secs(1), Some(SlowRule::after(secs(60))));
    });

    assert_eq!(rejection(breaker.try_admit().map_err(Into::into)), before, "for as long, and why");
    assert_eq!((breaker.status().transitions, breaker.status().window_failures), (1, 5));
    sleep(secs(6)).await;
    let (mut first, mut second) = (breaker.try_admit().unwrap(), breaker.try_admit().unwrap());
    first.settle(Verdict::Success);
    change(&breaker, |config| config.window = 50);
    assert_eq!((breaker.state(), breaker.status().probe_successes), (State::HalfOpen, 1));
    second.settle(Verdict::Success);
    assert_eq!(breaker.state(), State::Closed);
}

/// A probe that is under way while the lease is changed holds its permit, and gives that one back.
#[tokio::test(start_paused = true)]
async fn t43_probes_under_way_give_their_permits_back() {
    for lease in [ms(1), secs(1), secs(60)] {
        let breaker = Breaker::builder("t43").permits(1).successes(3).lease(secs(10)).build().unwrap();
        breaker.trip();
        sleep(secs(5)).await;
        let mut probe = breaker.try_admit().unwrap();

        change(&breaker, |config| config.lease = lease);

        assert_eq!((breaker.try_admit().is_err(), breaker.status().probes_in_flight), (true, 1));
        probe.settle(Verdict::Success);
        assert_eq!(
            (breaker.status().probe_successes, breaker.status().probes_in_flight),
            (1, 0),
            "{lease:?}"
        );
        calls(&breaker, 2, Verdict::Success);
        assert_eq!(breaker.state(), State::Closed);
    }
}

/// Calls from before the change end after it, in whatever way the clock has come or gone.
#[tokio::test(start_paused = true)]
async fn t43_calls_under_way_count_after_the_change() {
    let breaker = Breaker::builder("t43").consecutive_failures(2).build().unwrap();
    let (mut first, mut second, clone) =
        (breaker.try_admit().unwrap(), breaker.try_admit().unwrap(), breaker.clone());
    sleep(secs(3600)).await;
    change(&breaker, |config| config.slow_calls = Some(SlowRule::after(secs(1))));
    let mut third = breaker.try_admit().unwrap();
    change(&breaker, |config| config.slow_calls = None);
    sleep(secs(3600)).await;

    for ticket in [&mut first, &mut third] {
        ticket.settle(Verdict::Success);
    }
    second.settle(failure());
    assert_eq!((breaker.status().successes, breaker.status().failures), (2, 1));
    assert_eq!((breaker.status().window_calls, breaker.status().window_slow), (3, 0));
    clone.try_admit().unwrap().settle(failure());
    assert_eq!(breaker.state(), State::Open, "seen through every handle");
}

/// Services that were made before obey the new rules, without being made again.
#[tokio::test(start_paused = true)]
async fn t43_services_follow_the_change() {
    let breaker = Breaker::builder("t43").consecutive_failures(1_000_000).no_failure_ratio().build().unwrap();
    let service = ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone())).service(failing().0);
    let (mut one, other) = (service.clone(), service);
    for n in 0..9 {
        assert!(!refused(&one.ready().await.unwrap().call(n).await));
    }

    change(&breaker, |config| config.consecutive_failures = Some(10));

    assert!(!refused(&one.ready().await.unwrap().call(9).await));
    assert!(refused(&other.clone().oneshot(10).await), "the tenth has opened it");
    breaker.set_mode(Mode::Shadow).unwrap();
    assert!(!refused(&other.oneshot(11).await));
}

/// What is no valid change changes nothing.
#[tokio::test(start_paused = true)]
async fn t43_a_change_that_is_refused_changes_nothing() {
    let breaker = Breaker::new("t43");
    calls(&breaker, 4, failure());
    let before = breaker.config();

    let error = breaker.reconfigure(Config { window: 50, permits: 0, ..Config::default() }).unwrap_err();

    assert_eq!((error.field(), breaker.config()), ("breaker.permits", before));
    calls(&breaker, 1, failure());
    assert_eq!(breaker.state(), State::Open);
}

/// Every call counts once while the rules change under it, whatever they are.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn t43_under_traffic_no_call_is_lost() {
    const TASKS: u64 = 4;
    let breaker = Breaker::builder("t43").no_consecutive_failures().no_failure_ratio().build().unwrap();
    let running = Arc::new(AtomicBool::new(true));
    let traffic = (0..TASKS).map(|_| {
        let (breaker, running) = (breaker.clone(), running.clone());
        let mut service = ServiceBuilder::new().layer(BreakerLayer::new(breaker)).service(healthy_or_not());
        tokio::spawn(async move {
            let (mut good, mut bad) = (0, 0);
            while running.load(SeqCst) || good + bad < 10_000 {
                match service.ready().await.unwrap().call(good + bad).await {
                    Ok(()) => good += 1,
                    Err(error) => {
                        assert!(!refused::<()>(&Err(error)), "nothing may open it");
                        bad += 1;
                    }
                }
                tokio::task::yield_now().await;
            }
            (good, bad)
        })
    });
    let traffic: Vec<_> = traffic.collect();

    for n in 0..300 {
        change(&breaker, |config| {
            config.window = if n % 2 == 0 { 1_000_000 } else { 1_000 };
            config.time_window = (n % 3 == 0).then(|| TimeRule {
                span: secs(3600),
                failure_ratio: 1.0,
                ..TimeRule::default()
            });
            config.slow_calls = (n % 5 == 0).then(|| SlowRule { after: secs(3600), ratio: 1.0 });
            config.hung_after = (n % 7 == 0).then(|| secs(3600));
        });
        tokio::task::yield_now().await;
    }
    running.store(false, SeqCst);

    let ends = soon(futures_util::future::join_all(traffic)).await.into_iter().map(Result::unwrap);
    let (good, bad) = ends.fold((0, 0), |sum, end| (sum.0 + end.0, sum.1 + end.1));
    let status = breaker.status();
    assert_eq!((status.successes, status.failures, status.late), (good, bad, 0));
    assert_eq!((status.state, status.transitions, status.abandoned), (State::Closed, 0, 0));
    change(&breaker, |config| config.consecutive_failures = Some(3));
    calls(&breaker, 1, Verdict::Success);
    calls(&breaker, 3, failure());
    assert_eq!(breaker.state(), State::Open, "and it still opens");
}

/// Every tenth call fails.
fn healthy_or_not() -> impl Service<u64, Response = (), Error = portcullis::BoxError, Future: Send> + Clone {
    tower::service_fn(async |n: u64| if n % 10 == 9 { Err("one of ten".into()) } else { Ok(()) })
}

/// It opens in the midst of changes, and stays so.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn t43_under_traffic_an_open_breaker_stays_open() {
    let breaker = Breaker::builder("t43").open_for_exactly(secs(3600)).build().unwrap();
    let (inner, dependency) = healthy();
    let service = ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone())).service(inner);
    breaker.trip();
    let callers = (0..4).map(|_| {
        let mut service = service.clone();
        tokio::spawn(async move {
            for n in 0..1_000 {
                let ready = poll_fn(|cx| service.poll_ready(cx)).await;
                assert!(ready.is_ok() && refused(&service.call(n).await));
            }
        })
    });
    let callers: Vec<_> = callers.collect();

    for n in 0..300 {
        change(&breaker, |config| {
            config.window = 100 + n;
            config.time_window = (n % 2 == 0).then(TimeRule::default);
            config.slow_calls = (n % 3 == 0).then(|| SlowRule::after(secs(1)));
        });
        tokio::task::yield_now().await;
    }

    assert!(soon(futures_util::future::join_all(callers)).await.into_iter().all(|end| end.is_ok()));
    let status = breaker.status();
    assert_eq!((status.state, status.refused, status.transitions), (State::Open, 4_000, 1));
    assert_eq!(dependency.tally().calls, 0);
}
