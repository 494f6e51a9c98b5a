//! Requests and responses.

use std::convert::Infallible;

use http::{Request, Response, Version};
use http_body_util::{BodyExt, Full};
use portcullis::{Drain, DrainLayer, Health, Registry, drain::End};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{drain, secs, settle};

type Body = Full<bytes::Bytes>;

async fn answer(_: Request<()>) -> Result<Response<Body>, Infallible> {
    Ok(Response::new(Body::from("done")))
}

fn get(version: Version) -> Request<()> {
    Request::get("/stock/tea").version(version).body(()).unwrap()
}

fn grpc() -> Request<()> {
    let request = Request::post("/echo.v1.Echo/Unary").version(Version::HTTP_2);
    request.header("content-type", "application/grpc").body(()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn each_protocol_is_refused_in_its_own_words() {
    let drain = drain().announce(secs(0)).build().unwrap();
    let mut service = DrainLayer::new(drain.clone()).http_server().layer(service_fn(answer));
    drain.begin();
    drain.signal().await;
    for (version, connection) in
        [(Version::HTTP_10, Some("close")), (Version::HTTP_11, Some("close")), (Version::HTTP_2, None)]
    {
        let refusal = service.ready().await.unwrap().call(get(version)).await.unwrap();
        assert_eq!(refusal.status(), 503);
        assert_eq!(refusal.headers()["retry-after"], "1");
        assert_eq!(refusal.headers()["portcullis-reason"], "draining");
        assert_eq!(refusal.headers().get("connection").map(|value| value.to_str().unwrap()), connection);
        let document = refusal.into_body().collect().await.unwrap().to_bytes();
        assert!(std::str::from_utf8(&document).unwrap().contains("drain 'shop' takes no new work"));
    }
    let refusal = service.ready().await.unwrap().call(grpc()).await.unwrap();
    assert_eq!(refusal.status(), 200);
    assert_eq!(refusal.headers()["grpc-status"], "14");
    assert_eq!(refusal.headers()["grpc-retry-pushback-ms"], "0", "at once, elsewhere");
    assert!(!refusal.headers().contains_key("connection"));
    assert!(http_body::Body::is_end_stream(refusal.body()));
}

/// So that a client does not send its next request by a connection that is about to be closed.
#[tokio::test(start_paused = true)]
async fn answers_end_their_connection_from_the_announcement_on() {
    let drain = drain().build().unwrap();
    let mut service = DrainLayer::new(drain.clone()).http_server().layer(service_fn(answer));
    let mut ends = async |version| {
        let answer = service.ready().await.unwrap().call(get(version)).await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.headers().contains_key("connection")
    };
    assert!(!ends(Version::HTTP_11).await);
    drain.begin();
    assert!(ends(Version::HTTP_11).await);
    assert!(!ends(Version::HTTP_2).await);
}

#[tokio::test(start_paused = true)]
async fn a_call_is_in_flight_until_its_body_ends() {
    let drain = drain().announce(secs(0)).build().unwrap();
    let service = DrainLayer::new(drain.clone()).http_server().layer(service_fn(answer));
    let [read, dropped] = [service.clone(), service].map(|service| service.oneshot(get(Version::HTTP_11)));
    let (read, dropped) = (read.await.unwrap(), dropped.await.unwrap());
    drain.begin();
    drain.signal().await;
    settle().await;
    assert_eq!(drain.status().in_flight, 2);
    assert_eq!(read.into_body().collect().await.unwrap().to_bytes(), "done");
    assert_eq!(drain.status().in_flight, 1);
    drop(dropped);
    assert_eq!(drain.ended().await.by, End::Finished);
}

#[tokio::test(start_paused = true)]
async fn who_is_cut_is_told_by_path_and_method() {
    let drain = drain().announce(secs(0)).build().unwrap();
    let service =
        service_fn(async |_: Request<()>| Ok::<Response<Body>, Infallible>(std::future::pending().await));
    let layers = DrainLayer::new(drain.clone());
    let mut http =
        tokio_test::task::spawn(layers.clone().http_server().layer(service).oneshot(get(Version::HTTP_11)));
    let mut rpc = tokio_test::task::spawn(layers.grpc().layer(service).oneshot(grpc()));
    assert!(http.poll().is_pending() && rpc.poll().is_pending());
    drain.begin();
    let mut names: Vec<_> = drain.ended().await.named.into_iter().map(|seen| seen.name).collect();
    names.sort();
    assert_eq!(names, ["/echo.v1.Echo/Unary", "/stock/tea"]);
}

#[tokio::test(start_paused = true)]
async fn readiness_fails_first() {
    let registry = Registry::new();
    let health = Health::new(&registry);
    let drain = Drain::builder("shop").health(&health).registry(&registry).build().unwrap();
    assert!(health.is_ready());
    let seen = health.clone();
    let _subscription = registry.events().listen(portcullis::event::Interest::Changes, move |_| {
        assert!(!seen.is_ready(), "before anybody is told");
    });
    drain.begin();
    assert!(!health.is_ready());
    assert!(drain.try_admit().is_ok());
    assert_eq!(drain.recent_events().len(), 1);
}
