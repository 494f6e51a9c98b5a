//! Layers that are wrong on purpose: each is caught, and by exactly the laws it breaks.
//!
//! A layer that calls an instance without readiness breaks two laws by one deed: over the strict
//! host it is told which instance, and over tower's own services it panics.

#![expect(clippy::unwrap_used, reason = "the fixtures are tests, though not inside a test function")]

mod body;
mod errors;
mod hoarding;
mod instances;
mod leaks;
mod queue;
mod refusing;
mod sharing;
mod support;
mod waiting;

use std::collections::BTreeSet;

use http::StatusCode;
use portcullis_testkit::laws::{Answer, Exchange, HostKind, HttpResponse, Law, Laws};
use tower::{
    layer::util::Identity,
    limit::ConcurrencyLimitLayer,
    load_shed::LoadShedLayer,
    util::{MapRequestLayer, MapResponseLayer},
};

async fn assert_breaks<X: Exchange>(laws: Laws<X>, expected: &[Law]) {
    let violations = laws.check().await;
    let broken: BTreeSet<_> = violations.iter().map(|violation| violation.law).collect();
    assert_eq!(broken, BTreeSet::from_iter(expected.iter().copied()), "{violations:#?}");
}

macro_rules! caught {
    ($($(#[$meta:meta])* $name:ident: $laws:expr => $($law:ident)+;)*) => {
        $(
            $(#[$meta])*
            #[tokio::test(start_paused = true)]
            async fn $name() {
                assert_breaks($laws, &[$(Law::$law),+]).await;
            }
        )*
    };
}

caught! {
    calls_a_clone: Laws::new(|| instances::CallsAClone) => SameInstance OnePermit;
    retries_unready: Laws::new(|| instances::RetriesUnready) => FreshReadiness OnePermit;
    hoards_the_permit: Laws::new(|| hoarding::KeepsWarm) => OnePermit;
    leaks_its_permit_on_drop: Laws::new(leaks::LeaksOnDrop::new) => Drop;
    runs_on_after_drop: Laws::new(|| leaks::Detaches) => Drop;
    loses_the_turn_on_drop: Laws::new(queue::LosesTheTurn::default) => Drop;
    wakes_itself: Laws::new(|| waiting::WakesItself) => Wakers;
    wakes_itself_for_readiness: Laws::new(|| waiting::WakesItselfForReadiness) => Wakers;
    keeps_the_first_waker: Laws::new(|| waiting::KeepsTheFirstWaker) => Wakers;
    hides_the_source: Laws::new(|| errors::HidesTheSource) => Errors;
    swallows_readiness_errors: Laws::new(|| errors::SwallowsReadinessErrors) => Errors;
    newest_service_only: Laws::new(sharing::NewestOnly::default) => Shared;
    changes_the_response: Laws::new(|| MapResponseLayer::new(|answer: Answer| Answer(answer.0 + 1)))
        => Response;
    changes_the_request: Laws::new(|| MapRequestLayer::new(sharing::changed)) => Response;
    leaks_when_the_body_is_not_read: Laws::http(body::LeaksWithTheBody::new) => Drop;
    keeps_abandoned_readiness: Laws::new(leaks::KeepsAbandoned::new) => Abandoned;
    refuses_in_poll_ready: Laws::new(refusing::RefusesInPollReady::default) => Refusal;

    /// A good layer for other uses: it makes a limit for each service, so behind axum, which layers
    /// per route and connection, it limits nothing. `GlobalConcurrencyLimitLayer` passes.
    towers_concurrency_limit_as_one_limit: Laws::new(|| ConcurrencyLimitLayer::new(1)).limited_to(1)
        => Shared;
    /// A good layer for other uses: it refuses where others wait, and that is its purpose. So it
    /// breaks every law in which a call waits for the inner service: it is not woken but refused,
    /// gets no response, is not next in the queue, and keeps the readiness it did not wait for.
    towers_load_shed: Laws::new(LoadShedLayer::new) => Drop Wakers Response Abandoned;
}

#[tokio::test(start_paused = true)]
async fn a_violation_names_law_host_and_what_was_seen() {
    let laws = Laws::new(|| instances::CallsAClone);
    let violation = laws.check_law(Law::SameInstance, HostKind::Strict).await.unwrap_err();
    assert_eq!((violation.law, violation.host), (Law::SameInstance, HostKind::Strict));
    let text = violation.to_string();
    assert!(text.contains("had never been polled ready"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_http_response_is_more_than_its_body() {
    for (change, said) in [
        (
            (|response| response.map(|_| "9".into())) as fn(HttpResponse) -> HttpResponse,
            "headers were changed",
        ),
        (|response| response.map(|_| "".into()), "body was changed"),
        (|_| HttpResponse::default(), "body was changed"),
        (|mut response| (*response.status_mut() = StatusCode::BAD_GATEWAY, response).1, "status 502"),
    ] {
        let laws = Laws::http(move || MapResponseLayer::new(change));
        let violation = laws.check_law(Law::Response, HostKind::Strict).await.unwrap_err();
        assert!(violation.detail.contains(said), "{violation}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_of_attempts_is_held_to() {
    let laws = Laws::new(|| instances::RetriesUnready).attempts(3);
    let violation = laws.check_law(Law::FreshReadiness, HostKind::Strict).await.unwrap_err();
    assert!(violation.detail.contains("called again"), "{violation}");
    let laws = Laws::new(Identity::new).attempts(2);
    let violation = laws.check_law(Law::FreshReadiness, HostKind::Strict).await.unwrap_err();
    assert_eq!(violation.detail, "1 attempts were made, not 2");
}

#[tokio::test(start_paused = true)]
async fn a_hosts_panic_is_a_violation() {
    let laws = Laws::new(|| instances::CallsAClone);
    for (host, said) in [
        (HostKind::Mock, "service not ready"),
        (HostKind::ConcurrencyLimit, "poll_ready must be called first"),
        (HostKind::Buffer, "without first calling `poll_reserve`"),
    ] {
        let violation = laws.check_law(Law::OnePermit, host).await.unwrap_err();
        assert!(violation.detail.contains(said), "{violation}");
    }
}

#[test]
#[should_panic(expected = "law Wakers is broken over Strict")]
fn an_assertion_lists_the_violations() {
    Laws::new(|| waiting::WakesItself).assert_all();
}
