//! The breaker: what it counts, and when it moves.

use portcullis::{
    Breaker, BreakerLayer, Bulkhead, BulkheadLayer, HttpServer, PolicyKind, Registry, RetryLayer,
    RetryPolicy, Ticket, Verdict, breaker::State,
};
use portcullis_testkit::script::Step;
use portcullis_tests::net::soon;
use tower::{Service, ServiceBuilder, ServiceExt};

use crate::common::{failing, hanging, healthy, ms, refused, rejection, secs, settle};
use tokio::time::sleep;

/// A window that only grows needs as many failures to open as there ever were successes.
#[tokio::test(start_paused = true)]
async fn t01_opens_after_half_of_the_last_hundred_whatever_came_before() {
    let breaker = Breaker::builder("t01").no_consecutive_failures().failure_ratio(0.5).window(100).build();
    let breaker = breaker.unwrap();
    let (inner, dependency) = healthy();
    let mut service = ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone())).service(inner);
    for n in 0..10_000 {
        service.ready().await.unwrap().call(n).await.unwrap();
    }

    dependency.otherwise(|_| Step::err("down".into()));
    for n in 0..49 {
        service.ready().await.unwrap().call(n).await.unwrap_err();
    }

    assert_eq!(breaker.state(), State::Closed, "49 of the last 100");
    service.ready().await.unwrap().call(0).await.unwrap_err();
    assert_eq!(breaker.state(), State::Open, "50 of the last 100");
}

/// A success that was admitted before the outage closes the circuit while the probe still runs.
#[tokio::test(start_paused = true)]
async fn t08_a_result_from_before_the_outage_says_nothing_about_the_recovery() {
    let breaker = Breaker::builder("t08").consecutive_failures(2).permits(1).successes(1).build().unwrap();
    let (inner, dependency) = failing();
    let service = ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone())).service(inner);
    dependency.push(Step::ok(1).held());
    let early = tokio::spawn(service.clone().oneshot(1));
    settle().await;
    for n in 0..2 {
        service.clone().oneshot(n).await.unwrap_err();
    }
    sleep(secs(5)).await;
    dependency.push(Step::err("still down".into()).held());
    let probe = tokio::spawn(service.oneshot(2));
    settle().await;

    dependency.release();
    assert!(soon(early).await.unwrap().is_ok());

    assert_eq!((breaker.state(), breaker.status().late), (State::HalfOpen, 1));
    dependency.release();
    assert!(soon(probe).await.unwrap().is_err());
    assert_eq!(breaker.state(), State::Open, "the probe decides");
}

/// The same for a failure: one from before must not open what has just recovered.
#[tokio::test(start_paused = true)]
async fn t08_a_failure_from_before_the_outage_does_not_stop_the_recovery() {
    let breaker = Breaker::builder("t08").consecutive_failures(1).permits(1).successes(1).build().unwrap();
    let mut early = breaker.try_admit().unwrap();
    breaker.try_admit().unwrap().settle(failure());
    sleep(secs(5)).await;
    let mut probe = breaker.try_admit().unwrap();

    early.settle(failure());
    probe.settle(Verdict::Success);

    assert_eq!(breaker.state(), State::Closed);
}

fn failure() -> Verdict {
    portcullis::Failure::new(portcullis::FailureKind::Timeout).into()
}

/// Two hundred callers give up on a hung backend, and the breaker has seen nothing.
#[tokio::test(start_paused = true)]
async fn t09_callers_that_give_up_open_it_when_asked_for_and_are_counted_when_not() {
    let given_up = async |breaker: Breaker| {
        let (inner, _dependency) = hanging();
        let service = ServiceBuilder::new().timeout(ms(100)).layer(BreakerLayer::new(breaker.clone()));
        let service = service.service(inner);
        for n in 0..200 {
            service.clone().oneshot(n).await.unwrap_err();
        }
        breaker
    };

    let seeing = given_up(Breaker::builder("t09").hung_after(ms(50)).build().unwrap()).await;
    assert_eq!((seeing.state(), seeing.status().failures >= 5), (State::Open, true));

    let registry = Registry::new();
    let blind = given_up(Breaker::builder("t09").registry(&registry).build().unwrap()).await;
    assert_eq!((blind.state(), blind.status().abandoned), (State::Closed, 200));
    let shown = registry.snapshot().remove(0);
    assert!(
        shown.values.contains(&("abandoned", 200u64.into())),
        "to those who look from outside: {shown:?}"
    );
}

/// The same by its own judgement alone: neither a timeout above nor one below tells it.
#[tokio::test(start_paused = true)]
async fn t09_callers_that_give_up_early_are_no_sign_of_a_hung_dependency() {
    let breaker = Breaker::builder("t09").hung_after(ms(50)).build().unwrap();
    let (inner, _dependency) = hanging();
    let service = ServiceBuilder::new().timeout(ms(49)).layer(BreakerLayer::new(breaker.clone()));
    let service = service.service(inner);

    for n in 0..200 {
        service.clone().oneshot(n).await.unwrap_err();
    }

    assert_eq!((breaker.state(), breaker.status().abandoned), (State::Closed, 200));
}

/// A thousand connects that were refused in `poll_ready`, and not one failure counted.
#[tokio::test(start_paused = true)]
async fn t10_a_dependency_that_never_gets_ready_opens_it() {
    let breaker = Breaker::builder("t10").consecutive_failures(5).build().unwrap();
    let (inner, dependency) = healthy();
    dependency.fail_readiness(|| std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into());
    let service = ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone())).service(inner);

    for n in 0..1000 {
        service.clone().oneshot(n).await.unwrap_err();
    }

    assert_eq!((breaker.state(), breaker.status().failures), (State::Open, 5));
    assert_eq!(dependency.tally().ready_polls, 5, "refused without asking again");
    assert_eq!(breaker.status().refused, 995);
}

/// A burst over a bulkhead opens the breaker of a healthy backend.
#[tokio::test(start_paused = true)]
async fn t11_refusals_of_a_bulkhead_below_are_no_failures() {
    let (breaker, bulkhead) =
        (Breaker::new("t11"), Bulkhead::builder("t11").max_in_flight(1).build().unwrap());
    let (inner, dependency) = healthy();
    dependency.push(Step::ok(0).held());
    let service = ServiceBuilder::new()
        .layer(BreakerLayer::new(breaker.clone()))
        .layer(BulkheadLayer::new(bulkhead))
        .service(inner);
    let running = tokio::spawn(service.clone().oneshot(0));
    settle().await;

    for n in 0..100 {
        assert_eq!(rejection(service.clone().oneshot(n).await).kind(), PolicyKind::Bulkhead);
    }

    assert_eq!((breaker.state(), breaker.status().failures), (State::Closed, 0));
    assert_eq!(breaker.status().ignored, 100);
    dependency.release();
    assert!(running.await.unwrap().is_ok());
}

/// The same on a server, where the refusal is a 503 like any other.
#[tokio::test(start_paused = true)]
async fn t11_refusals_as_responses_are_no_failures_either() {
    let (breaker, bulkhead) =
        (Breaker::new("t11"), Bulkhead::builder("t11").max_in_flight(1).build().unwrap());
    let taken = bulkhead.try_admit().unwrap();
    let service = ServiceBuilder::new()
        .layer(BreakerLayer::new(breaker.clone()).protocol(HttpServer::default()))
        .layer(BulkheadLayer::new(bulkhead).http_server())
        .service_fn(async |_: http::Request<String>| {
            Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
        });

    for _ in 0..100 {
        let answer = service.clone().oneshot(http::Request::new(String::new())).await.unwrap();
        assert_eq!(answer.status(), http::StatusCode::SERVICE_UNAVAILABLE);
    }

    assert_eq!((breaker.state(), breaker.status().failures), (State::Closed, 0));
    drop(taken);
}

/// Three retries against an open breaker, in 707 ms.
#[tokio::test(start_paused = true)]
async fn t12_an_open_breaker_is_not_retried() {
    let (breaker, policy) = (Breaker::new("t12"), RetryPolicy::new("t12"));
    let (inner, dependency) = healthy();
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(policy.clone()).idempotent())
        .layer(BreakerLayer::new(breaker.clone()))
        .service(inner);
    breaker.trip();
    let before = tokio::time::Instant::now();

    assert_eq!(rejection(service.oneshot(1).await).kind(), PolicyKind::Breaker);

    assert_eq!(before.elapsed(), ms(0));
    assert_eq!((breaker.status().refused, policy.status().retries, dependency.tally().calls), (1, 0, 0));
}

/// Opened by hand, and 80 ms later calls pass.
#[tokio::test(start_paused = true)]
async fn t17_isolated_holds_until_it_is_released() {
    let breaker = Breaker::builder("t17").open_for(ms(1)).build().unwrap();
    let (inner, dependency) = healthy();
    let service = ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone())).service(inner);
    let mut admitted_before = breaker.try_admit().unwrap();
    breaker.isolate();

    for wait in [ms(0), ms(80), secs(60), secs(24 * 60 * 60)] {
        tokio::time::sleep(wait).await;
        assert!(refused(&service.clone().oneshot(1).await), "after {wait:?}");
    }
    admitted_before.settle(Verdict::Success);
    breaker.trip();
    breaker.close();

    assert_eq!((breaker.state(), dependency.tally().calls), (State::Isolated, 0));
    breaker.release();
    assert!(service.oneshot(1).await.is_ok());
}
