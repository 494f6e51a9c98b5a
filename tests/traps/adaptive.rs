//! The adaptive limit: what has stuck, blinded or blown up limits elsewhere.

use std::time::Duration;

use portcullis::{
    AdaptiveLimit, AdaptiveLimitLayer, BoxError, Failure, FailureKind, Mode, Ticket, Verdict,
    adaptive::{AdaptiveLimitBuilder, AdaptiveTicket, Aimd, Algorithm, Correlation, Gradient, Vegas},
};
use tokio::time::advance;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::common::{ms, rejection, secs, settle};

/// One limit for each algorithm.
fn limits(configure: impl Fn(AdaptiveLimitBuilder) -> AdaptiveLimitBuilder) -> Vec<AdaptiveLimit> {
    let algorithms = [
        Algorithm::Aimd(Aimd::default()),
        Algorithm::Vegas(Vegas::default()),
        Algorithm::Gradient(Gradient::default()),
        Algorithm::Correlation(Correlation::default()),
    ];
    algorithms
        .map(|algorithm| configure(AdaptiveLimit::builder("t24").algorithm(algorithm)).build().unwrap())
        .into()
}

fn failure(kind: FailureKind) -> Verdict {
    Failure::new(kind).into()
}

/// As many calls as there are places, at most so many, all at once; they end together after this time.
async fn round(limit: &AdaptiveLimit, calls: usize, takes: Duration, verdict: Verdict) -> usize {
    let tickets: Vec<AdaptiveTicket> = (0..calls).map_while(|_| limit.try_admit().ok()).collect();
    let admitted = tickets.len();
    advance(takes).await;
    for mut ticket in tickets {
        ticket.settle(verdict);
    }
    admitted
}

/// So many rounds of as many calls as there are places.
async fn rounds(limit: &AdaptiveLimit, rounds: usize, takes: Duration, verdict: Verdict) {
    for _ in 0..rounds {
        round(limit, 2000, takes, verdict).await;
    }
}

/// A minimum of 0 let nobody in for ever.
#[tokio::test(start_paused = true)]
async fn t24_a_limit_at_its_lowest_lets_one_in_and_grows_again() {
    for limit in limits(|limit| limit) {
        rounds(&limit, 400, ms(50), failure(FailureKind::Unavailable)).await;
        assert_eq!(limit.status().limit, 1, "{limit:?}");

        rounds(&limit, 2000, ms(50), Verdict::Success).await;

        assert!(limit.status().limit >= 20, "{limit:?}");
    }
}

/// The least latency ever seen was one of a microsecond, and the limit stayed at 1 for ever.
#[tokio::test(start_paused = true)]
async fn t24_one_call_of_a_microsecond_does_not_pin_it() {
    for limit in limits(|limit| limit) {
        round(&limit, 1, Duration::from_micros(1), Verdict::Success).await;

        rounds(&limit, 300, ms(20), Verdict::Success).await;

        assert!(limit.status().limit >= 20, "{limit:?}");
    }
}

/// The same with a second full of them, after which what was learned must be forgotten.
#[tokio::test(start_paused = true)]
async fn t24_what_was_usual_once_is_forgotten() {
    for limit in limits(|limit| limit.between(1, 60).probe_every(secs(5))) {
        rounds(&limit, 2000, Duration::from_micros(100), Verdict::Success).await;
        let before = limit.status().limit;

        rounds(&limit, 4000, ms(20), Verdict::Success).await;

        assert!(limit.status().limit >= before.min(20), "{before}: {limit:?}");
    }
}

/// With one call in flight it went to 1000, and the next burst found no limit at all.
#[tokio::test(start_paused = true)]
async fn t24_it_does_not_grow_while_it_is_not_used() {
    for limit in limits(|limit| limit) {
        for _ in 0..3000 {
            round(&limit, 1, ms(10), Verdict::Success).await;
        }
        assert_eq!(limit.status().limit, 20, "{limit:?}");
    }
}

/// Only latencies of successes counted, and a dependency that refused or hung was a fast one.
#[tokio::test(start_paused = true)]
async fn t24_timeouts_and_refusals_lower_it() {
    use FailureKind::{Connection, ResourceExhausted, Timeout, Unavailable};
    for kind in [Timeout, Connection, Unavailable, FailureKind::RateLimited, ResourceExhausted] {
        for limit in limits(|limit| limit) {
            rounds(&limit, 20, ms(20), failure(kind)).await;
            assert!(limit.status().limit < 20, "{kind:?}: {limit:?}");
        }
    }
    for limit in limits(|limit| limit) {
        rounds(&limit, 20, ms(20), failure(FailureKind::Validation)).await;
        rounds(&limit, 20, ms(20), Verdict::Ignored).await;
        assert_eq!(limit.status().limit, 20, "nothing was said about load: {limit:?}");
    }
}

/// A timeout of the callers drops the calls that hang, and nothing was seen of them.
#[tokio::test(start_paused = true)]
async fn t24_calls_that_were_given_up_because_they_hang_lower_it() {
    for limit in limits(|limit| limit.ceiling(ms(500))) {
        let hanging = || service_fn(|()| std::future::pending::<Result<(), BoxError>>());
        for _ in 0..20 {
            let service =
                ServiceBuilder::new().layer(AdaptiveLimitLayer::new(limit.clone())).service(hanging());
            let calls: Vec<_> = (0..20)
                .map(|_| tokio::spawn(tokio::time::timeout(secs(1), service.clone().oneshot(()))))
                .collect();
            for call in calls {
                assert!(call.await.unwrap().is_err() || limit.status().rejected > 0);
            }
        }
        assert!(limit.status().limit < 10, "{limit:?}");
        assert_eq!(limit.status().in_flight, 0);
    }
}

/// Eight calls that failed at once took the limit from 64 to 1.
#[tokio::test(start_paused = true)]
async fn t24_a_burst_of_failures_lowers_it_once() {
    for limit in limits(|limit| limit.initial(64)) {
        let mut tickets: Vec<_> = (0..64).map(|_| limit.try_admit().unwrap()).collect();
        advance(ms(150)).await;
        for (n, ticket) in tickets.iter_mut().enumerate() {
            let verdict = if n % 8 == 0 { failure(FailureKind::Timeout) } else { Verdict::Success };
            ticket.settle(verdict);
        }
        drop(tickets);
        // Those that come afterwards find the window to be over.
        for _ in 0..4 {
            round(&limit, 1, ms(50), Verdict::Success).await;
        }
        assert_eq!((limit.status().limit, limit.status().decreases), (58, 1), "{limit:?}");
    }
}

/// The same when they come in one after the other: they all began before the limit was lowered.
#[tokio::test(start_paused = true)]
async fn t24_calls_that_met_the_old_limit_do_not_lower_the_new_one() {
    for limit in limits(|limit| limit.initial(64)) {
        let tickets: Vec<_> = (0..64).map(|_| limit.try_admit().unwrap()).collect();
        advance(ms(150)).await;
        for mut ticket in tickets {
            ticket.settle(failure(FailureKind::Timeout));
            drop(ticket);
            advance(ms(50)).await;
        }
        assert_eq!((limit.status().limit, limit.status().decreases), (58, 1), "{limit:?}");
    }
}

/// A latency that creeps up becomes what is usual; a ceiling does not move.
#[tokio::test(start_paused = true)]
async fn t24_a_ceiling_holds_against_what_has_become_usual() {
    for limit in limits(|limit| limit.between(1, 60).ceiling(ms(200)).probe_every(secs(1))) {
        for millis in (20..200).step_by(4) {
            rounds(&limit, 20, ms(millis), Verdict::Success).await;
        }
        let before = limit.status().limit;
        rounds(&limit, 20, ms(250), Verdict::Success).await;
        assert!(limit.status().limit < before, "{before}: {limit:?}");
    }
}

/// What is lowered below what is in flight lets nobody in until it fits, and loses no place.
#[tokio::test(start_paused = true)]
async fn t24_a_limit_below_what_is_in_flight_waits_until_it_fits() {
    let limit = AdaptiveLimit::builder("t24").initial(10).build().unwrap();
    let mut tickets: Vec<_> = (0..10).map(|_| limit.try_admit().unwrap()).collect();
    limit.reconfigure(portcullis::adaptive::Config { max: 4, initial: 4, ..limit.config() }).unwrap();
    while tickets.len() >= 4 {
        let error = limit.try_admit().unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("adaptive_limit 't24' is at its limit: {} of 4 in flight", tickets.len())
        );
        drop(tickets.pop());
    }
    assert!(limit.try_admit().is_ok());
    drop(tickets);
    assert_eq!(limit.status().in_flight, 0);
}

/// The library's own refusals are no samples, and are not counted as the dependency's.
#[tokio::test(start_paused = true)]
async fn t24_refusals_of_layers_below_are_no_samples() {
    for limit in limits(|limit| limit) {
        let inner = AdaptiveLimit::builder("inner").between(1, 1).initial(1).build().unwrap();
        let _held = inner.try_admit().unwrap();
        let service = ServiceBuilder::new()
            .layer(AdaptiveLimitLayer::new(limit.clone()))
            .layer(AdaptiveLimitLayer::new(inner))
            .service(service_fn(|()| async { Ok::<_, BoxError>(()) }));
        for _ in 0..500 {
            assert_eq!(&**rejection(service.clone().oneshot(()).await).policy(), "inner");
            advance(ms(1)).await;
        }
        settle().await;
        let status = limit.status();
        assert_eq!((status.limit, status.ignored, status.failures, status.windows), (20, 500, 0, 0));
    }
}

/// In shadow all pass, the limit is found all the same, and what would have been refused is counted.
#[tokio::test(start_paused = true)]
async fn t24_a_shadow_learns_and_refuses_nobody() {
    for limit in limits(|limit| limit.mode(Mode::Shadow)) {
        for _ in 0..50 {
            assert_eq!(round(&limit, 40, ms(20), failure(FailureKind::RateLimited)).await, 40);
        }
        let status = limit.status();
        assert!(status.limit < 20 && status.bypassed > 1000, "{limit:?}");
        assert_eq!((status.rejected, status.in_flight), (0, 0));
    }
}
