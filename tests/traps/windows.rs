//! Windows of time: T05, T15, and T48, where what is slow counts.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use portcullis::{
    BoxError, Breaker, BreakerLayer, Failure, FailureKind, Reason, Rejection, Ticket, Verdict,
    breaker::{BreakerBuilder, Cause, State, TimeRule},
};
use portcullis_testkit::script::Step;
use tokio::time::{Instant, sleep};
use tower::{Service, ServiceBuilder, ServiceExt};

use crate::common::{healthy, ms, refused, rejection, secs};

/// Goes by the last second alone.
fn by_time(name: &'static str) -> BreakerBuilder {
    let rule = TimeRule { span: secs(1), failure_ratio: 0.5, minimum_calls: 10, ..TimeRule::default() };
    Breaker::builder(name).no_consecutive_failures().no_failure_ratio().time_rule(rule)
}

/// Probes that come slower than the window's time leave it before there are enough of them, and a healthy
/// backend is refused for ever.
#[tokio::test(start_paused = true)]
async fn t05_probes_that_are_further_apart_than_the_window_is_long_close_it() {
    let breaker = by_time("t05").permits(1).successes(3).open_for_exactly(secs(5)).build().unwrap();
    let (inner, dependency) = healthy();
    dependency.otherwise(|_| Step::err("down".into()));
    let service = ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone())).service(inner);
    for n in 0..10 {
        service.clone().oneshot(n).await.unwrap_err();
    }
    assert_eq!(breaker.state(), State::Open);
    dependency.otherwise(|n| Step::ok(*n));

    for probe in 1..=3 {
        sleep(secs(60)).await;
        let end = service.clone().oneshot(0).await;
        assert!(end.is_ok(), "probe {probe} of a healthy backend");
    }

    assert_eq!(breaker.state(), State::Closed);
}

/// The same for probes that each take longer than the window's time, and for ones that say nothing.
#[tokio::test(start_paused = true)]
async fn t05_probes_that_outlast_the_window_close_it() {
    let builder = by_time("t05").permits(1).successes(2).open_for_exactly(secs(5)).probe_ratio(0.5);
    let breaker = builder.build().unwrap();
    let (inner, dependency) = healthy();
    dependency.otherwise(|n| Step::ok(*n).after(secs(9)));
    let service = ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone())).service(inner);
    breaker.trip();
    sleep(secs(5)).await;

    for n in 0..2 {
        breaker.try_admit().unwrap().settle(Verdict::Ignored);
        assert!(service.clone().oneshot(n).await.is_ok(), "probe {n}");
    }

    assert_eq!(breaker.state(), State::Closed);
    sleep(secs(2)).await;
    assert!(service.oneshot(0).await.is_ok(), "and it stays so");
}

/// Whatever else is on, time goes by for the failures in the window.
#[tokio::test(start_paused = true)]
async fn t05_failures_that_have_left_the_window_count_no_more() {
    let breaker = by_time("t05").build().unwrap();
    for _ in 0..3 {
        for _ in 0..9 {
            breaker.try_admit().unwrap().settle(failure());
        }
        assert_eq!((breaker.state(), breaker.status().recent.unwrap().failures), (State::Closed, 9));
        sleep(ms(1100)).await;
        assert_eq!(breaker.status().recent.unwrap().calls, 0);
    }
    for _ in 0..10 {
        breaker.try_admit().unwrap().settle(failure());
    }
    assert_eq!(breaker.state(), State::Open);
}

fn failure() -> Verdict {
    Failure::new(FailureKind::Other).into()
}

/// A window of an hour that never opens, with so many calls in it: a tenth of them failed.
fn filled(calls: u32) -> Breaker {
    let span = Duration::from_secs(60 * 60);
    let rule = TimeRule { span, buckets: 60, failure_ratio: 1.0, minimum_calls: 10 };
    let breaker = Breaker::builder("t15").no_consecutive_failures().no_failure_ratio().time_rule(rule);
    let breaker = breaker.failures_of(FailureKind::Timeout, 1_000_000).build().unwrap();
    work(&breaker, calls);
    assert_eq!(breaker.status().recent.unwrap().calls, calls);
    breaker
}

fn work(breaker: &Breaker, calls: u32) {
    for n in 0..calls {
        let verdict = if n % 10 == 9 { failure() } else { Verdict::Success };
        breaker.try_admit().unwrap().settle(verdict);
    }
}

/// The least time that so many calls take, of some tries: the machine may be busy with other things.
fn cost(breaker: &Breaker) -> Duration {
    let once = || {
        let before = Instant::now();
        work(breaker, 10_000);
        before.elapsed()
    };
    (0..20).map(|_| once()).min().unwrap()
}

/// A window that keeps each call: 165 µs a call with 100,000 in it, and no bound to its memory.
#[tokio::test]
async fn t15_a_million_calls_in_the_window_cost_what_a_hundred_do() {
    // What is made once for a thread is not the window's.
    drop(filled(100));
    let (few, many) = (filled(100), filled(1_000_000));

    // Nothing is allocated for a call, so nothing grows.
    for breaker in [&few, &many] {
        let allocated = allocation_counter::measure(|| work(breaker, 10_000));
        assert_eq!(allocated.count_total, 0);
    }

    // An order of magnitude for the noise; a walk over the window would be a thousand times more.
    let (few, many) = (cost(&few), cost(&many));
    assert!(many < 10 * few, "{many:?} for 10,000 calls with a million in the window, {few:?} with 100");
}

/// So many answers, one after the other; before each it is closed.
async fn answers<F: Future<Output = ()>>(breaker: &Breaker, answers: u32, mut call: impl FnMut() -> F) {
    for _ in 0..answers {
        assert_eq!(breaker.state(), State::Closed);
        call().await;
    }
}

fn opens_by_slow_calls() -> Breaker {
    Breaker::builder("t48").slow_calls(secs(1), 0.5).build().unwrap()
}

fn assert_opened_by_slow_calls(breaker: &Breaker, rejection: &Rejection) {
    let Reason::Breaker(evidence) = rejection.reason() else { panic!("{rejection}") };
    assert_eq!((breaker.state(), evidence.cause), (State::Open, Some(Cause::SlowRatio)));
    assert_eq!((evidence.slow, evidence.calls, evidence.failures), (20, 20, 0));
    assert_eq!((breaker.status().successes, breaker.status().failures), (20, 0));
}

/// Two seconds per answer and all of them right: the outage that never trips.
#[tokio::test(start_paused = true)]
async fn t48_right_answers_that_are_too_slow_open_it() {
    let breaker = opens_by_slow_calls();
    let (inner, dependency) = healthy();
    dependency.otherwise(|n| Step::ok(*n).after(secs(2)));
    let service = ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone())).service(inner);

    let call = || {
        let call = service.clone().oneshot(7);
        async { assert_eq!(call.await.unwrap(), 7) }
    };
    answers(&breaker, 20, call).await;

    assert_opened_by_slow_calls(&breaker, &rejection(service.oneshot(7).await));
}

/// Answers that come at once, and a body that takes its time; and the same the other way round.
#[tokio::test(start_paused = true)]
async fn t48_over_http_the_wait_for_the_body_counts() {
    use http_body_util::BodyExt;
    for (head, body) in [(secs(2), secs(0)), (secs(0), secs(2))] {
        let breaker = opens_by_slow_calls();
        let service = ServiceBuilder::new()
            .layer(BreakerLayer::new(breaker.clone()).http_client())
            .service_fn(move |_: http::Request<String>| async move {
                sleep(head).await;
                let frames = futures_util::stream::once(async move {
                    sleep(body).await;
                    Ok::<_, BoxError>(http_body::Frame::data(Bytes::from_static(b"slow")))
                });
                Ok::<_, BoxError>(http::Response::new(http_body_util::StreamBody::new(Box::pin(frames))))
            });

        let call = || {
            let call = service.clone().oneshot(http::Request::default());
            async { assert_eq!(call.await.unwrap().collect().await.unwrap().to_bytes(), "slow") }
        };
        answers(&breaker, 20, call).await;

        let refused = service.oneshot(http::Request::default()).await;
        assert_opened_by_slow_calls(&breaker, &rejection(refused));
    }
}

#[tokio::test(start_paused = true)]
async fn t48_over_grpc_too() {
    let breaker = opens_by_slow_calls();
    let service = ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone()).grpc()).service_fn(
        async |_: http::Request<Full<Bytes>>| {
            sleep(secs(2)).await;
            let answer = http::Response::builder().header("grpc-status", "0").body(Full::<Bytes>::default());
            Ok::<_, BoxError>(answer.unwrap())
        },
    );

    let call = || {
        let call = service.clone().oneshot(http::Request::default());
        async { assert!(!call.await.unwrap().headers().contains_key("portcullis-reason")) }
    };
    answers(&breaker, 20, call).await;

    let refused = service.oneshot(http::Request::default()).await.unwrap();
    assert_opened_by_slow_calls(&breaker, refused.extensions().get().unwrap());
}

/// The counter-test: answers in time, and a few that are late, are no outage.
#[tokio::test(start_paused = true)]
async fn t48_answers_in_time_do_not_open_it() {
    let breaker = opens_by_slow_calls();
    let (inner, dependency) = healthy();
    dependency.otherwise(|n| Step::ok(*n).after(if n % 5 == 0 { secs(2) } else { ms(900) }));
    let mut service = ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone())).service(inner);

    for n in 0..200 {
        let end = service.ready().await.unwrap().call(n).await;
        assert!(!refused(&end), "call {n}");
    }

    assert_eq!((breaker.state(), breaker.status().window_slow), (State::Closed, 20));
}

/// Over the last seconds: what was slow an hour ago is forgotten, and a probe that is slow has failed.
#[tokio::test(start_paused = true)]
async fn t48_by_time_and_while_it_recovers() {
    let breaker = by_time("t48").slow_calls(ms(50), 0.5).permits(1).successes(1).build().unwrap();
    let (inner, dependency) = healthy();
    dependency.otherwise(|n| Step::ok(*n).after(ms(60)));
    let service = ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone())).service(inner);
    for n in 0..9 {
        service.clone().oneshot(n).await.unwrap();
    }
    sleep(secs(3600)).await;
    for n in 0..9 {
        service.clone().oneshot(n).await.unwrap();
    }
    assert_eq!(breaker.state(), State::Closed, "nine of the last second");
    service.clone().oneshot(9).await.unwrap();
    assert_eq!(breaker.state(), State::Open, "ten of the last second");

    sleep(secs(5)).await;
    service.clone().oneshot(0).await.unwrap();
    assert_eq!((breaker.state(), breaker.status().last_failure), (State::Open, Some(FailureKind::Slow)));
    dependency.otherwise(|n| Step::ok(*n));
    sleep(secs(10)).await;
    service.oneshot(0).await.unwrap();
    assert_eq!(breaker.state(), State::Closed);
}
