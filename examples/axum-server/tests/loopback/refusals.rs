//! What the layers answer in their own name, and what they let through.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use axum_server::Policies;
use http::Request;
use portcullis::{Breaker, Bulkhead, Registry, Timeout};
use upstream::soon;

use crate::server::{LONG, send, server};

fn one_at_a_time(policies: &mut Policies, registry: &Registry) {
    policies.bulkhead = Bulkhead::builder("shop").max_in_flight(1).registry(registry).build().unwrap();
}

#[tokio::test]
async fn what_works_passes_through_all_layers() {
    let server = server(|_, _| ()).await;
    let answer = send(server.address, Request::post("/"), "/echo", "tea").await;
    assert_eq!((answer.status, &*answer.body), (200, &b"tea"[..]));
    assert_eq!(server.get("/nowhere").await.status, 404);
    assert_eq!(server.policies.breaker.status().successes, 2);
}

#[tokio::test]
async fn a_full_server_refuses_and_still_tells_its_health() {
    let server = server(one_at_a_time).await;
    let held = server.hold().await;

    let refused = server.get("/echo").await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.problem(), ("bulkhead".into(), "full".into()));

    assert_eq!(server.get("/livez").await.status, 200);
    assert_eq!(server.get("/readyz").await.status, 200);
    let health = server.get("/health").await;
    assert_eq!((health.status, &health.json()["overall_status"]), (200, &"warning".into()));

    server.gate.add_permits(1);
    assert_eq!(soon(held).await.unwrap().status, 200);
    assert_eq!(server.get("/echo").await.status, 200);
}

#[tokio::test]
async fn what_takes_too_long_ends_with_504() {
    let limit = Duration::from_millis(50);
    let per_attempt = server(|policies, _| policies.attempt = Timeout::attempt("shop", limit).unwrap()).await;
    let in_total = server(|policies, _| policies.total = Timeout::total("shop", limit).unwrap()).await;
    for server in [per_attempt, in_total] {
        let late = server.post("/held").await;
        assert_eq!(late.status, 504);
        assert_eq!(late.problem(), ("timeout".into(), "timeout".into()));
        assert_eq!(server.policies.bulkhead.status().in_flight, 0);
    }
}

#[tokio::test]
async fn the_breaker_opens_over_several_connections() {
    let server = server(|policies, registry| {
        let breaker = Breaker::builder("shop").consecutive_failures(3).open_for(LONG);
        policies.breaker = breaker.registry(registry).build().unwrap();
    })
    .await;
    for _ in 0..3 {
        assert_eq!(server.post("/broken").await.status, 500);
    }

    let refused = server.post("/echo").await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.problem(), ("breaker".into(), "open".into()));
    let after: u64 = refused.header("retry-after").expect("when to come back").parse().unwrap();
    // Rounded up, twice: to the breaker's milliseconds, and to whole seconds.
    assert!((1..=LONG.as_secs() + 1).contains(&after), "{after}");
    assert_eq!(server.calls.load(SeqCst), 3, "handlers are left alone");

    let health = server.get("/health").await;
    let document = health.json();
    assert_eq!((health.status, &document["overall_status"]), (200, &"degraded".into()));
    let breaker = &document["policies"]["shop"];
    assert_eq!((&breaker["kind"], &breaker["state"]), (&"breaker".into(), &"open".into()));
    assert!(breaker["failure_ratio"].is_f64(), "{breaker}");
    assert!(breaker["retry_in_ms"].as_u64().is_some_and(|wait| wait <= 30_000), "{breaker}");

    server.policies.breaker.reset();
    assert_eq!(server.post("/echo").await.status, 200);
}

#[tokio::test]
async fn a_grpc_request_is_refused_in_its_own_words() {
    let server = server(one_at_a_time).await;
    let held = server.hold().await;
    let full = server.grpc("/echo").await;
    assert_eq!((full.status, full.header("grpc-status")), (200, Some("8")));
    assert_eq!(full.header("content-type"), Some("application/grpc"));
    assert_eq!(full.header("portcullis-reason"), Some("full"));
    assert!(full.body.is_empty(), "trailers only");

    server.policies.breaker.trip();
    let open = server.grpc("/echo").await;
    assert_eq!((open.status, open.header("grpc-status")), (200, Some("14")));
    let pushback: u64 = open.header("grpc-retry-pushback-ms").expect("when to come back").parse().unwrap();
    assert!(pushback <= 5_000, "{pushback}");

    server.gate.add_permits(1);
    assert_eq!(soon(held).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_late_grpc_request_exceeds_its_deadline() {
    let limit = Duration::from_millis(50);
    let server = server(|policies, _| policies.total = Timeout::total("shop", limit).unwrap()).await;
    let late = server.grpc("/held").await;
    assert_eq!((late.status, late.header("grpc-status")), (200, Some("4")));
}
