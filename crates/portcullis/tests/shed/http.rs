//! Requests that say how much they matter, and those that must always be answered.

use std::{
    convert::Infallible,
    time::{Duration, SystemTime},
};

use http::{HeaderName, Request, Response, StatusCode};
use portcullis::{LoadShed, LoadShedLayer, Priority};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::support::{ms, shed};

type Body = String;

async fn answer(_: Request<Body>) -> Result<Response<Body>, Infallible> {
    Ok(Response::new("done".into()))
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(String::new()).unwrap()
}

fn header(name: &'static str) -> HeaderName {
    HeaderName::from_static(name)
}

/// As many in flight that only the highest class gets in.
fn busy() -> (LoadShed, Vec<portcullis::shed::ShedTicket>) {
    let shed = shed().max_in_flight(10).build().unwrap();
    let running = (0..9).map(|_| super::support::admit(&shed, Priority::Highest).unwrap()).collect();
    (shed, running)
}

#[tokio::test(start_paused = true)]
async fn a_header_or_an_extension_says_how_much_a_request_matters() {
    let (shed, _running) = busy();
    let layer = LoadShedLayer::new(shed).priority_header(header("x-priority")).http_server();
    let mut service = layer.layer(service_fn(answer));
    for (word, status) in [("high", 503), ("highest", 200), ("4", 200), ("urgent", 503)] {
        let mut request = get("/");
        request.headers_mut().insert("x-priority", word.parse().unwrap());
        let response = service.ready().await.unwrap().call(request).await.unwrap();
        assert_eq!(response.status(), status, "{word}");
    }
    let mut request = get("/");
    request.extensions_mut().insert(Priority::Highest);
    assert_eq!(service.call(request).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_function_says_how_much_a_request_matters() {
    let (shed, _running) = busy();
    let by_path = |request: &Request<Body>| match request.uri().path() {
        "/pay" => Priority::Highest,
        _ => Priority::Low,
    };
    let service = LoadShedLayer::new(shed).prioritize(by_path).http_server().layer(service_fn(answer));
    assert_eq!(service.clone().oneshot(get("/pay")).await.unwrap().status(), 200);
    assert_eq!(service.oneshot(get("/list")).await.unwrap().status(), 503);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_a_503_that_says_when_to_come_again() {
    let (shed, _running) = busy();
    let service = LoadShedLayer::new(shed).http_server().layer(service_fn(answer));
    let response = service.oneshot(get("/")).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["portcullis-reason"], "in_flight");
    let after: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=2).contains(&after));
}

#[tokio::test(start_paused = true)]
async fn exempt_paths_are_answered_whatever_there_is() {
    let shed = shed().max_in_flight(1).build().unwrap();
    let _running = shed.try_admit().unwrap();
    let layer = LoadShedLayer::new(shed.clone())
        .exempt_grpc_health()
        .exempt_paths(["/livez", "/internal/*"])
        .exempt(|request: &Request<Body>| request.method() == "OPTIONS");
    let service = layer.http_server().layer(service_fn(answer));
    let options = Request::options("/").body(String::new()).unwrap();
    let check = "/grpc.health.v1.Health/Check";
    for request in [get("/livez"), get("/livez?full=1"), get("/internal/dump"), get(check), options] {
        let what = request.uri().clone();
        assert_eq!(service.clone().oneshot(request).await.unwrap().status(), 200, "{what}");
    }
    for path in ["/", "/livez/", "/internals", "/shop.Shop/Check"] {
        assert_eq!(service.clone().oneshot(get(path)).await.unwrap().status(), 503, "{path}");
    }
    assert_eq!(shed.status().in_flight, 1);
}

#[tokio::test(start_paused = true)]
async fn grpc_is_refused_in_its_own_words() {
    let (shed, _running) = busy();
    let service = LoadShedLayer::new(shed).http_server().layer(service_fn(answer));
    let mut request = Request::post("/shop.Shop/Buy").body(String::new()).unwrap();
    request.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(
        (response.status(), &response.headers()["grpc-status"]),
        (StatusCode::OK, &"14".parse().unwrap())
    );
    let pushback: u32 = response.headers()["grpc-retry-pushback-ms"].to_str().unwrap().parse().unwrap();
    assert!((1000..=2000).contains(&pushback), "{pushback}");
}

/// A proxy's stamp is of the time of day, which a paused clock does not move.
#[expect(clippy::disallowed_methods, reason = "a stamp is of the time of day")]
fn stamp(ago: Duration) -> String {
    let at = (SystemTime::now() - ago).duration_since(SystemTime::UNIX_EPOCH).unwrap();
    format!("t={}.{:03}", at.as_secs(), at.subsec_millis())
}

#[tokio::test(start_paused = true)]
async fn requests_that_waited_in_front_of_the_server_are_an_overload() {
    let shed = shed().build().unwrap();
    let layer = LoadShedLayer::new(shed.clone()).request_start_header(header("x-request-start"));
    let service = layer.http_server().layer(service_fn(answer));
    for ago in [ms(2000), ms(0)] {
        for _ in 0..300 {
            let mut request = get("/");
            request.headers_mut().insert("x-request-start", stamp(ago).parse().unwrap());
            let _ = service.clone().oneshot(request).await.unwrap();
            tokio::time::sleep(ms(10)).await;
        }
        let status = shed.status();
        assert_eq!(status.cut > 0.0, !ago.is_zero(), "{status:?}");
        if !ago.is_zero() {
            let waited = status.queue_delay.unwrap();
            assert!((ms(1999)..ms(30_000)).contains(&waited), "{waited:?}");
            tokio::time::sleep(ms(3000)).await;
        }
    }
    // What is no time says nothing.
    let mut request = get("/");
    request.headers_mut().insert("x-request-start", "yesterday".parse().unwrap());
    assert_eq!(service.oneshot(request).await.unwrap().status(), 200);
}
