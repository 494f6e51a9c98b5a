//! T31: a ramp that refuses a healthy backend for long: 8.5 s and 290 refusals after a break of a second.

use std::{ops::RangeInclusive, time::Duration};

use portcullis::{
    BoxError, Breaker, BreakerLayer, Ticket, Verdict,
    breaker::{BreakerBuilder, State},
};
use portcullis_testkit::script::Step;
use tokio::time::{Instant, sleep};
use tower::{Service, ServiceBuilder, ServiceExt};

use crate::common::{healthy, ms, refused, secs};

/// How long one call comes after the other.
const EVERY: Duration = Duration::from_millis(10);

/// So many calls to a healthy backend, one every [`EVERY`]; how many of each ten in a hundred were refused.
async fn refusals(
    service: &mut impl Service<u32, Response = u32, Error = BoxError>,
    calls: u32,
) -> Vec<usize> {
    let mut ends = Vec::new();
    for n in 0..calls {
        sleep(EVERY).await;
        ends.push(refused(&service.ready().await.unwrap().call(n).await));
    }
    ends.chunks(100).map(|chunk| chunk.iter().filter(|refused| **refused).count()).collect()
}

/// A breaker whose backend has just come back after a second, when its last probe has succeeded.
async fn recovered(shape: impl FnOnce(BreakerBuilder) -> BreakerBuilder) -> Breaker {
    let builder = Breaker::builder("t31").open_for_exactly(secs(1)).permits(1).successes(3).seed(31);
    let breaker = shape(builder).build().unwrap();
    breaker.trip();
    sleep(secs(1)).await;
    for _ in 0..3 {
        breaker.try_admit().unwrap().settle(Verdict::Success);
    }
    breaker
}

/// Ten seconds of a ramp at a hundred calls a second: the share that is refused falls from nine tenths to
/// none, and after the ramp there is not one refusal.
#[tokio::test(start_paused = true)]
async fn t31_a_healthy_backend_has_all_its_calls_back_when_the_ramp_ends() {
    let breaker = recovered(|breaker| breaker.ramp(secs(10))).await;
    assert_eq!(breaker.state(), State::Recovering);
    let mut service = ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone())).service(healthy().0);

    let ramp = refusals(&mut service, 1000).await;
    let after = refusals(&mut service, 1000).await;

    let about = |refused: usize, share: RangeInclusive<usize>| assert!(share.contains(&refused), "{ramp:?}");
    about(ramp[0], 75..=95);
    about(ramp[4], 38..=62);
    about(ramp[9], 0..=12);
    about(ramp.iter().sum(), 400..=500);
    assert_eq!(after, [0; 10]);
    assert_eq!((breaker.state(), breaker.status().trips), (State::Closed, 1));
}

/// However short or long it is, the ramp is over when it said so.
#[tokio::test(start_paused = true)]
async fn t31_no_ramp_takes_longer_than_it_was_told_to() {
    for ramp in [ms(1), ms(100), secs(1), secs(60)] {
        let breaker = recovered(|breaker| breaker.ramp(ramp)).await;
        let mut service =
            ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone())).service(healthy().0);
        sleep(ramp).await;

        assert_eq!(refusals(&mut service, 100).await, [0], "after a ramp of {ramp:?}");
        assert_eq!(breaker.state(), State::Closed);
    }
}

/// By default there is none: after the probes, everything goes.
#[tokio::test(start_paused = true)]
async fn t31_without_a_ramp_nothing_is_refused_after_the_probes() {
    let breaker = recovered(|breaker| breaker).await;
    let mut service = ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone())).service(healthy().0);

    assert_eq!((refusals(&mut service, 1000).await, breaker.state()), (vec![0; 10], State::Closed));
}

/// Who is refused on the ramp is told to come back while it still makes sense.
#[tokio::test(start_paused = true)]
async fn t31_a_refusal_on_the_ramp_says_when_to_come_back() {
    let breaker = recovered(|breaker| breaker.ramp(secs(10))).await;
    let began = Instant::now();
    let mut told = 0;
    while began.elapsed() < secs(10) {
        if let Err(rejection) = breaker.try_admit() {
            let wait = rejection.retry_after().unwrap();
            assert!(wait <= secs(1) && began.elapsed() + wait <= secs(10), "{wait:?}");
            told += 1;
        }
        sleep(ms(10)).await;
    }
    assert!(told > 100, "{told} refusals");
}

/// And the other side of it: a backend that falls over under the rising load is left alone again at once.
#[tokio::test(start_paused = true)]
async fn t31_a_failure_on_the_ramp_opens_again_for_longer() {
    let breaker = recovered(|breaker| breaker.ramp(secs(10)).open_factor(2.0)).await;
    let (inner, dependency) = healthy();
    dependency.otherwise(|_| Step::err("over".into()));
    let mut service = ServiceBuilder::new().layer(BreakerLayer::new(breaker.clone())).service(inner);

    while breaker.state() == State::Recovering {
        let _ = service.ready().await.unwrap().call(0).await;
    }

    assert_eq!((breaker.state(), dependency.tally().calls), (State::Open, 1));
    assert_eq!(breaker.status().trips_in_a_row, 2);
    assert!(breaker.status().retry_in.unwrap() > secs(1), "twice as long as the first time");
}

/// A call of a recovering breaker that is given up says nothing.
#[tokio::test(start_paused = true)]
async fn t40_a_cancelled_call_on_the_ramp_says_nothing() {
    let breaker = recovered(|breaker| breaker.ramp(secs(1))).await;
    let ticket = loop {
        if let Ok(ticket) = breaker.try_admit() {
            break ticket;
        }
    };
    sleep(secs(2)).await;

    drop(ticket);

    let status = breaker.status();
    assert_eq!((status.state, status.abandoned), (State::Recovering, 1), "no success ends the ramp");
    breaker.try_admit().unwrap().settle(Verdict::Success);
    assert_eq!(breaker.state(), State::Closed);
}
