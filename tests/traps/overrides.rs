//! What is done by hand, and what is only watched: T17, the overrides and the modes.

use axum::{Router, body::Body, routing::get};
use http::{Request, StatusCode};
use portcullis::{
    Breaker, BreakerLayer, Ticket, Verdict,
    breaker::{BreakerBuilder, Config, Mode, State},
};
use tokio::time::sleep;
use tower::{ServiceBuilder, ServiceExt};

use crate::common::{healthy, ms, refused, rejection, secs, told};

/// Nothing that happens by itself, or by another setting, releases it.
#[tokio::test(start_paused = true)]
async fn t17_isolated_holds_whatever_else_is_changed() {
    let breaker = Breaker::builder("t17").open_for(ms(1)).automatic().ramp(ms(1)).build().unwrap();
    let (inner, dependency) = healthy();
    let service = ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone())).service(inner);
    breaker.isolate();

    for mode in [Mode::Shadow, Mode::EnforcePercent(0), Mode::Enforce] {
        breaker.set_mode(mode).unwrap();
        assert!(refused(&service.clone().oneshot(1).await), "{mode:?}");
        assert!(breaker.try_admit().is_err() && breaker.try_admit_retry().is_err(), "{mode:?}");
    }
    breaker.reconfigure(Config { only_retries: true, ..Config::default() }).unwrap();
    sleep(secs(60)).await;
    assert!(refused(&service.clone().oneshot(1).await), "reconfigured");

    assert_eq!((breaker.state(), dependency.tally().calls), (State::Isolated, 0));
    assert_eq!((breaker.status().refused, breaker.status().bypassed), (10, 0));
    breaker.reset();
    assert!(service.oneshot(1).await.is_ok());
}

/// One with an end holds until then, says when that is, and no longer.
#[tokio::test(start_paused = true)]
async fn t17_isolated_for_a_time_holds_until_its_end_and_no_longer() {
    let breaker = Breaker::builder("t17").open_for(ms(1)).build().unwrap();
    let (inner, _dependency) = healthy();
    let service = ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone())).service(inner);
    breaker.isolate_for(secs(10));

    for (wait, left) in [(0, 10_000), (80, 9_920), (4_920, 5_000), (4_998, 2)] {
        tokio::time::advance(ms(wait)).await;
        assert!(breaker.try_admit().is_err(), "with {left} ms left");
        let refused = rejection(service.clone().oneshot(1).await);
        assert_eq!(
            (told(refused.retry_after()), told(breaker.status().override_ends_in)),
            (ms(left), ms(left))
        );
    }
    tokio::time::advance(ms(2)).await;

    assert!(service.oneshot(1).await.is_ok());
    assert_eq!((breaker.state(), breaker.status().override_ends_in), (State::Closed, None));
}

/// The later word counts: for longer, for ever, or not at all.
#[tokio::test(start_paused = true)]
async fn t17_isolated_again_holds_until_the_new_end() {
    let breaker = Breaker::new("t17");
    breaker.isolate_for(secs(1));
    breaker.isolate_for(secs(100));
    sleep(secs(99)).await;
    assert!(breaker.try_admit().is_err(), "prolonged");

    breaker.isolate();
    sleep(secs(24 * 60 * 60)).await;
    assert!(breaker.try_admit().is_err(), "for ever");

    breaker.isolate_for(secs(1));
    sleep(secs(1)).await;
    assert!(breaker.try_admit().is_ok(), "shortened");
}

/// The other direction: forced closed stays so under any number of failures.
#[tokio::test(start_paused = true)]
async fn t17_forced_closed_holds_until_it_is_released() {
    let breaker = Breaker::builder("t17").consecutive_failures(1).build().unwrap();
    breaker.force_close(None);
    for _ in 0..100 {
        breaker.try_admit().unwrap().settle(failure());
    }
    breaker.trip();
    sleep(secs(24 * 60 * 60)).await;
    assert_eq!(breaker.state(), State::ForcedClosed);

    breaker.release();
    breaker.try_admit().unwrap().settle(failure());
    assert_eq!((breaker.state(), breaker.status().trips), (State::Open, 1));
}

fn failure() -> Verdict {
    portcullis::Failure::new(portcullis::FailureKind::Timeout).into()
}

/// A router whose handler always fails, behind a breaker that opens after two failures.
fn broken(shape: impl FnOnce(BreakerBuilder) -> BreakerBuilder) -> (Router, Breaker) {
    let builder = shape(Breaker::builder("modes").consecutive_failures(2).seed(1));
    let breaker = builder.build().unwrap();
    let router = Router::new()
        .route("/", get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .layer(BreakerLayer::new(breaker.clone()).http_server());
    (router, breaker)
}

/// How many of so many requests the handler answered; all others were refused.
async fn answered(router: &Router, requests: u32) -> u32 {
    let mut answered = 0;
    for _ in 0..requests {
        match router.clone().oneshot(Request::new(Body::empty())).await.unwrap().status() {
            StatusCode::INTERNAL_SERVER_ERROR => answered += 1,
            status => assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE),
        }
    }
    answered
}

#[tokio::test(start_paused = true)]
async fn a_shadow_of_a_breaker_refuses_nothing_and_counts_what_it_would_have() {
    let (router, breaker) = broken(|breaker| breaker.mode(Mode::Shadow));

    assert_eq!(answered(&router, 100).await, 100);

    let status = breaker.status();
    assert_eq!((status.state, status.mode, status.trips), (State::Open, Mode::Shadow, 1));
    assert_eq!((status.bypassed, status.refused, status.failures), (98, 0, 100));
    breaker.set_mode(Mode::Enforce).unwrap();
    assert_eq!((answered(&router, 10).await, breaker.status().refused), (0, 10));
}

/// What a call that should not have gone says does not count as a probe's word.
#[tokio::test(start_paused = true)]
async fn a_shadow_recovers_by_its_probes_alone() {
    let (router, breaker) = broken(|breaker| breaker.mode(Mode::Shadow).permits(1).successes(1));
    assert_eq!(answered(&router, 2).await, 2);
    let mut passing = breaker.try_admit().unwrap();
    sleep(secs(5)).await;

    let mut probe = breaker.try_admit().unwrap();
    let mut second = breaker.try_admit().unwrap();
    assert_eq!((passing.is_probe(), probe.is_probe(), second.is_probe()), (false, true, false));
    passing.settle(failure());
    second.settle(Verdict::Success);
    assert_eq!((breaker.state(), breaker.status().bypassed), (State::HalfOpen, 2));
    probe.settle(Verdict::Success);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_part_of_the_refusals_is_enforced() {
    for (percent, least, most) in
        [(0, 0, 0), (10, 40, 180), (50, 400, 600), (90, 820, 960), (100, 1000, 1000)]
    {
        let (router, breaker) = broken(|breaker| breaker.mode(Mode::EnforcePercent(percent)));
        answered(&router, 2).await;

        let refused = 1000 - answered(&router, 1000).await;

        assert!((least..=most).contains(&refused), "{refused} of 1000 refused at {percent} %");
        let status = breaker.status();
        assert_eq!((status.refused, status.bypassed), (refused.into(), u64::from(1000 - refused)));
    }
}

#[tokio::test(start_paused = true)]
async fn overrides_let_every_response_pass_and_keep_what_they_say() {
    let (router, breaker) = broken(|breaker| breaker);
    breaker.only_measure(Some(secs(60)));
    assert_eq!(answered(&router, 10).await, 10);
    let status = breaker.status();
    assert_eq!((status.state, status.window_failures, status.failures), (State::MetricsOnly, 10, 10));

    breaker.force_close(Some(secs(60)));
    assert_eq!(answered(&router, 10).await, 10);
    let status = breaker.status();
    assert_eq!((status.state, status.window_failures, status.failures), (State::ForcedClosed, 0, 20));

    breaker.disable(Some(secs(60)));
    assert_eq!(answered(&router, 10).await, 10);
    let status = breaker.status();
    assert_eq!((status.state, status.window_failures, status.failures), (State::Disabled, 0, 20));

    sleep(secs(60)).await;
    assert_eq!((answered(&router, 10).await, breaker.state()), (2, State::Open), "with an empty window");
}

#[tokio::test(start_paused = true)]
async fn disabled_by_its_mode_it_is_not_there() {
    let (router, breaker) = broken(|breaker| breaker.mode(Mode::Disabled));
    breaker.trip();
    assert_eq!(answered(&router, 10).await, 10);
    let status = breaker.status();
    assert_eq!((status.state, status.failures, status.bypassed), (State::Disabled, 0, 0));

    breaker.set_mode(Mode::Enforce).unwrap();
    assert_eq!((answered(&router, 10).await, breaker.state()), (2, State::Open));
}
