//! T25: rate limits that make callers wait in vain, unfairly, and without a word about when to come again.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, routing::get};
use http::StatusCode;
use portcullis::{KeyedRateLimit, RateLimit, RateLimitLayer, keyed::by};
use portcullis_tests::net::{Server, client, soon};
use tokio::time::Instant;
use tower::{ServiceBuilder, ServiceExt};

use crate::common::{healthy, ms, rejection, secs, settle};

/// A call waits for all of its patience, and is refused then, though that was clear from the beginning.
#[tokio::test(start_paused = true)]
async fn t25_what_cannot_be_served_in_time_is_refused_at_once() {
    let limit = RateLimit::builder("t25").rate(1, secs(1)).queue(100, ms(2500)).build().unwrap();
    let (inner, dependency) = healthy();
    let service = ServiceBuilder::new().layer(RateLimitLayer::new(limit)).service(inner);
    let start = Instant::now();
    let served: Vec<_> = (0..3).map(|n| tokio::spawn(service.clone().oneshot(n))).collect();
    settle().await;
    for n in 3..50 {
        let refused = rejection(service.clone().oneshot(n).await);
        assert_eq!((refused.retry_after(), start.elapsed()), (Some(secs(3)), Duration::ZERO));
    }
    for call in served {
        call.await.unwrap().unwrap();
    }
    assert_eq!((start.elapsed(), dependency.tally().calls), (secs(2), 3), "who waited was served");
}

/// Who comes later goes first, because all wake up at once and the fastest wins.
#[tokio::test(start_paused = true)]
async fn t25_first_come_first_served() {
    let limit = RateLimit::builder("t25").rate(100, secs(1)).burst(4).queue(100, secs(5)).build().unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let calls: Vec<_> = (0..50u32)
        .map(|n| {
            let (limit, order) = (limit.clone(), order.clone());
            tokio::spawn(async move {
                limit.admit(1 + n % 4).await.unwrap();
                order.lock().unwrap().push(n);
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    assert!(order.lock().unwrap().is_sorted(), "{order:?}");
}

/// A refusal names a time, and then it is refused again.
#[tokio::test(start_paused = true)]
async fn t25_who_comes_when_told_is_served() {
    let limit = RateLimit::builder("t25").rate(7, secs(3)).burst(2).build().unwrap();
    let (inner, _) = healthy();
    let service = ServiceBuilder::new().layer(RateLimitLayer::new(limit)).service(inner);
    for n in 0..20 {
        if let Err(error) = service.clone().oneshot(n).await {
            let wait = rejection::<u32>(Err(error)).retry_after().unwrap();
            tokio::time::advance(wait - Duration::from_nanos(1)).await;
            rejection(service.clone().oneshot(n).await);
            tokio::time::advance(Duration::from_nanos(1)).await;
            assert_eq!(service.clone().oneshot(n).await.unwrap(), n);
        }
    }
}

/// The same over sockets: an axum router whose clients see what they have left, each on his own.
#[tokio::test]
async fn t25_over_sockets_a_client_is_told_its_limit() {
    let tenants = KeyedRateLimit::builder("plan").rate(2, secs(3600)).build().unwrap();
    let layer = RateLimitLayer::by(tenants.by(by::header("x-tenant"))).http_server().headers();
    let router = Router::new().route("/stock", get(|| async { "42" })).layer(layer);
    let server = Server::axum(router).await;
    for tenant in ["a", "b"] {
        for (status, left) in [(200, 1), (200, 0), (429, 0)] {
            let request = client().get(server.url("/stock")).header("x-tenant", tenant).send();
            let response = soon(request).await.unwrap();
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(response.headers()["ratelimit-policy"], r#""plan";q=2;w=3600"#);
            let state = response.headers()["ratelimit"].to_str().unwrap();
            assert!(state.starts_with(&format!(r#""plan";r={left};t="#)), "{state}");
            let again = response.headers().get("retry-after");
            assert_eq!(again.is_some(), status == 429);
            if let Some(again) = again {
                let seconds: u64 = again.to_str().unwrap().parse().unwrap();
                assert!((1700..=1800).contains(&seconds), "half an hour: {seconds}");
            }
        }
    }
    let open = soon(client().get(server.url("/stock")).send()).await.unwrap();
    assert_eq!(open.status(), StatusCode::OK, "without a tenant there is no limit");
}
