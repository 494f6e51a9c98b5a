//! What the health document tells of checks.

use std::{convert::Infallible, future::ready, time::Duration};

use http_body_util::BodyExt;
use portcullis::{BoxError, Breaker, Bulkhead, BulkheadLayer, Health, HealthLayer};
use serde_json::json;
use tokio::time::Instant;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::support::{Runs, fails, hangs, monitor, secs, taking, well};

type Answer = http::Response<String>;

async fn ask<S, B>(service: S, path: &str) -> (u16, String)
where
    S: Service<http::Request<String>, Response = http::Response<B>>,
    S::Error: std::fmt::Debug,
    B: http_body::Body<Error: std::fmt::Debug>,
{
    let request = http::Request::get(path).body(String::new()).unwrap();
    let answer = service.oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// The document is public interface: to the last key.
#[tokio::test(start_paused = true)]
async fn the_document_is_as_it_is_specified() {
    let monitor = monitor();
    let inventory = Breaker::builder("inventory").registry(monitor.registry()).build().unwrap();
    monitor.check("database").critical(true).spawn(well).unwrap();
    monitor.check("search").spawn(fails).unwrap();
    monitor.run_now().await;
    inventory.trip();

    let document = Health::of(&monitor).document();
    assert_eq!(document["overall_status"], "degraded");
    let checks = document["checks"].as_object().unwrap();
    let keys = ["consecutive_failures", "critical", "duration_ms", "last_check", "message", "status"];
    for check in checks.values() {
        let mut found: Vec<_> = check.as_object().unwrap().keys().map(String::as_str).collect();
        found.sort_unstable();
        assert_eq!(found, keys);
    }
    let mut database = checks["database"].clone();
    let at = database["last_check"].take();
    assert!(at.as_str().is_some_and(|at| at.ends_with('Z') && at.contains('T')), "{at}");
    let expected = json!({ "status": "healthy", "critical": true, "last_check": null, "duration_ms": 0.0,
                           "message": null, "consecutive_failures": 0 });
    assert_eq!(database, expected);
    assert_eq!(checks["search"]["message"], "no route to host");
    assert_eq!(checks["search"]["consecutive_failures"], 1);
    assert_eq!(document["policies"]["inventory"]["kind"], "breaker");
    assert_eq!(document["policies"]["inventory"]["state"], "open");
    assert!(document["policies"]["inventory"]["failure_ratio"].is_number());
    assert!(document["policies"]["inventory"]["retry_in_ms"].is_number());
    let summary = json!({ "total_checks": 2, "healthy_checks": 1, "warning_checks": 0, "degraded_checks": 1,
                          "critical_checks": 0 });
    assert_eq!(document["summary"], summary);
}

#[tokio::test(start_paused = true)]
async fn text_is_for_people() {
    let monitor = monitor();
    monitor
        .check("database")
        .critical(true)
        .spawn(|| async { Err::<(), _>(BoxError::from("gone\nfor good")) })
        .unwrap();
    let _inventory = Breaker::builder("inventory").registry(monitor.registry()).build().unwrap();
    monitor.run_now().await;
    let service = ServiceBuilder::new()
        .layer(HealthLayer::new(Health::of(&monitor)))
        .service(service_fn(|_| ready(Ok::<_, Infallible>(Answer::default()))));
    let (status, text) = ask(service, "/health?format=text").await;
    assert_eq!(status, 503);
    let lines: Vec<_> = text.lines().collect();
    let expected = [
        "critical",
        "critical  check     database: failure: gone for good",
        "healthy   breaker   inventory: closed",
    ];
    assert_eq!(lines, expected);
}

/// The bar: ten thousand questions a second run no check more often than its interval says.
#[tokio::test(start_paused = true)]
async fn ten_thousand_questions_a_second_run_nothing() {
    let (monitor, every, dear) = (monitor(), Runs::default(), Runs::default());
    monitor.check("every").interval(secs(10)).jitter(0.0).spawn(taking(secs(0), &every)).unwrap();
    monitor.check("dear").on_demand().cache(secs(5)).spawn(taking(secs(0), &dear)).unwrap();
    let service = ServiceBuilder::new()
        .layer(HealthLayer::new(Health::of(&monitor)))
        .service(service_fn(|_| ready(Ok::<_, Infallible>(Answer::default()))));

    // Eleven seconds of them.
    for _ in 0..110_000 {
        let (status, _) = ask(service.clone(), "/health").await;
        assert_eq!(status, 200);
        tokio::time::advance(Duration::from_micros(100)).await;
    }
    assert_eq!(every.count(), 2);
    assert_eq!(dear.count(), 3, "when it was added, after five seconds, and after ten");
}

/// The bar: less than a microsecond for requests of other paths, also in a debug build.
#[tokio::test]
async fn requests_of_other_paths_hardly_notice() {
    let inner = service_fn(|_: http::Request<String>| ready(Ok::<_, Infallible>(Answer::default())));
    let with = HealthLayer::new(Health::of(&monitor())).layer(inner);
    let request = || http::Request::get("/shop/orders/7").body(String::new()).unwrap();
    // The best of many rounds: what else the machine does is not the layer's.
    let (mut bare, mut behind) = (Duration::MAX, Duration::MAX);
    for _ in 0..200 {
        let began = Instant::now();
        for _ in 0..100 {
            inner.clone().call(request()).await.unwrap();
        }
        bare = bare.min(began.elapsed() / 100);
        let began = Instant::now();
        for _ in 0..100 {
            let mut service = with.clone();
            std::future::poll_fn(|cx| service.poll_ready(cx)).await.unwrap();
            service.call(request()).await.unwrap();
        }
        behind = behind.min(began.elapsed() / 100);
    }
    let added = behind.saturating_sub(bare);
    println!("{added:?} of {behind:?}");
    assert!(added < Duration::from_micros(1), "{added:?} of {behind:?}");
}

/// T44, and the bar: liveness looks at nothing, whatever hangs or is full.
#[tokio::test]
async fn t44_liveness_answers_in_microseconds_while_everything_hangs() {
    let monitor = monitor();
    for n in 0..7 {
        monitor.check(format!("well-{n}")).spawn(well).unwrap();
    }
    monitor.check("hung").critical(true).spawn(hangs).unwrap();
    monitor
        .check("panics")
        .critical(true)
        .spawn(|| async { panic!("a bug") as Result<(), BoxError> })
        .unwrap();
    let bulkhead = Bulkhead::builder("full").max_in_flight(1).registry(monitor.registry()).build().unwrap();
    let taken = bulkhead.try_admit().unwrap();
    let health = Health::of(&monitor);
    let service = ServiceBuilder::new()
        .layer(HealthLayer::new(health.clone()))
        .layer(BulkheadLayer::new(bulkhead).http_server())
        .service(service_fn(|_| ready(Ok::<_, Infallible>(Answer::default()))));
    assert_eq!(ask(service.clone(), "/other").await.0, 503, "every bulkhead is full");
    while monitor.status("panics").unwrap().outcome.is_none() {
        tokio::task::yield_now().await;
    }

    let mut took = Vec::new();
    for _ in 0..1000 {
        let began = Instant::now();
        let (status, _) = ask(service.clone(), "/livez").await;
        took.push(began.elapsed());
        assert_eq!(status, 200);
    }
    took.sort_unstable();
    // In a debug build, on a machine that does other things too; the worst of them is the machine's.
    assert!(took[500] < Duration::from_micros(200), "{:?}", took[500]);
    assert_eq!(ask(service.clone(), "/readyz").await.0, 503, "a critical check has failed");
    assert_eq!(ask(service, "/health").await.0, 503);
    assert!(monitor.status("hung").unwrap().running);
    drop(taken);
}

/// People read it: three digits behind the point, and not sixteen.
#[tokio::test]
async fn times_have_no_more_digits_than_they_mean() {
    let monitor = monitor();
    monitor.check("x").spawn(taking(Duration::from_nanos(2_679_418), &Runs::default())).unwrap();
    monitor.run_now().await;
    let took = Health::of(&monitor).document()["checks"]["x"]["duration_ms"].to_string();
    assert!(took.split_once('.').unwrap().1.len() <= 3, "{took}");
}
