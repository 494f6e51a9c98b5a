//! Over HTTP and gRPC.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use portcullis::{
    BoxError, Breaker, BreakerLayer, FallbackLayer, Mode, Registry,
    fallback::{Failover, Why},
    protocol::Deadline,
    replay::ReplayBody,
};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use super::support::{fallback, ms};

type Body = Full<Bytes>;
type Sent = ReplayBody<Body>;

fn answer(status: u16, body: &'static str) -> Response<Body> {
    Response::builder().status(status).body(Full::from(body)).unwrap()
}

async fn text<B: http_body::Body<Data = Bytes, Error: std::fmt::Debug>>(
    response: Response<B>,
) -> (u16, String) {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_status_that_is_a_failure_is_covered_and_another_is_not() {
    let inner = service_fn(|request: Request<Body>| async move {
        let status = request.uri().path()[1..].parse().unwrap();
        Ok::<_, BoxError>(answer(status, "theirs"))
    });
    let ours = |why: Why| answer(200, why.as_str());
    let service = FallbackLayer::value(fallback().build().unwrap(), ours).http_client().layer(inner);
    let get = |status: u16| Request::get(format!("/{status}")).body(Body::default()).unwrap();
    for (status, expected) in
        [(503, "unavailable"), (504, "timeout"), (500, "internal"), (429, "rate_limited")]
    {
        let answered = text(service.clone().oneshot(get(status)).await.unwrap()).await;
        assert_eq!(answered, (200, expected.to_owned()));
    }
    assert_eq!(text(service.oneshot(get(404)).await.unwrap()).await, (404, "theirs".to_owned()));
}

/// The error type of what axum serves stays as it is.
#[tokio::test]
async fn a_server_answers_what_it_has_instead() {
    let inner = service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(answer(503, "theirs")) });
    let layer = FallbackLayer::value(fallback().build().unwrap(), |_| answer(200, "stale")).http_server();
    let Ok(response) = layer.layer(inner).oneshot(Request::new(Body::default())).await;
    assert_eq!(text(response).await, (200, "stale".to_owned()));
}

/// In front of layers whose bodies are types of their own, as a router is with its error type.
#[tokio::test]
async fn a_response_of_ones_own_has_a_body_of_any_type() {
    let breaker = Breaker::builder("b").registry(&Registry::new()).build().unwrap();
    let fallback = fallback().build().unwrap();
    let respond = |why: Why| {
        let head = Response::builder().status(203).header("warning", "110 - \"stale\"");
        head.body(format!("stale, after {}", why.as_str())).unwrap()
    };
    let inner = service_fn(|request: Request<Body>| async move {
        let status = request.uri().path()[1..].parse().unwrap();
        Ok::<_, Infallible>(answer(status, "theirs"))
    });
    let service = ServiceBuilder::new()
        .layer(FallbackLayer::response(fallback.clone(), respond))
        .layer(BreakerLayer::new(breaker.clone()).http_server())
        .service(inner);
    let get = async |status: u16| {
        let request = Request::get(format!("/{status}")).body(Body::default()).unwrap();
        let Ok(response) = service.clone().oneshot(request).await;
        text(response).await
    };
    assert_eq!(get(200).await, (200, "theirs".to_owned()));
    assert_eq!(get(503).await, (203, "stale, after unavailable".to_owned()));
    breaker.isolate();
    assert_eq!(get(200).await, (203, "stale, after refused".to_owned()));
    assert_eq!(fallback.status().used, 2);
}

#[tokio::test]
async fn a_client_that_has_no_connection_answers_bytes() {
    let inner = service_fn(|_: Request<Body>| async { Err::<Response<Body>, BoxError>("broken".into()) });
    let respond = |_| Response::new(Bytes::from_static(b"stale"));
    let layer = FallbackLayer::response(fallback().build().unwrap(), respond).http_client();
    let response = layer.layer(inner).oneshot(Request::new(Body::default())).await.unwrap();
    assert_eq!(response.body().size_hint().exact(), Some(5));
    assert_eq!(text(response).await, (200, "stale".to_owned()));
}

/// The last handle may be gone before a call fails: it is covered all the same.
#[tokio::test(start_paused = true)]
async fn a_call_outlives_its_fallback() {
    let inner = service_fn(|_: Request<Body>| async {
        tokio::time::sleep(ms(10)).await;
        Err::<Response<Body>, BoxError>("broken".into())
    });
    let [covered, not] = [Mode::Enforce, Mode::Shadow].map(|mode| {
        let fallback = fallback().mode(mode).build().unwrap();
        let mut service = FallbackLayer::value(fallback, |_| answer(200, "stale")).http_client().layer(inner);
        service.call(Request::new(Body::default()))
    });
    assert_eq!(text(covered.await.unwrap()).await.1, "stale");
    assert_eq!(not.await.unwrap_err().to_string(), "broken");
}

#[tokio::test]
async fn a_grpc_status_in_the_head_is_covered() {
    let inner = service_fn(|_: Request<Body>| async {
        let head = Response::builder().header("content-type", "application/grpc");
        Ok::<_, BoxError>(head.header("grpc-status", "14").body(Body::default()).unwrap())
    });
    let layer = FallbackLayer::value(fallback().build().unwrap(), |why| answer(200, why.as_str())).grpc();
    let request = Request::post("/shop/Buy").header("content-type", "application/grpc");
    let response = layer.layer(inner).oneshot(request.body(Body::default()).unwrap()).await.unwrap();
    assert_eq!(text(response).await.1, "unavailable");
}

/// Reads the whole request.
async fn read(request: Request<Sent>) -> String {
    String::from_utf8(request.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn another_service_gets_the_body_too_unless_it_is_too_long() {
    let inner = service_fn(|request: Request<Sent>| async {
        read(request).await;
        Ok::<_, BoxError>(answer(503, "theirs"))
    });
    let replica = service_fn(|request: Request<Sent>| async {
        assert_eq!(read(request).await, "order 7");
        Ok::<_, BoxError>(answer(200, "ours"))
    });
    let fallback = fallback().build().unwrap();
    let post = || Request::post("/").body(Full::from("order 7")).unwrap();
    let layer = FallbackLayer::service(fallback.clone(), replica).http_client();
    assert_eq!(text(layer.layer(inner).oneshot(post()).await.unwrap()).await.1, "ours");
    let small = layer.max_buffered(3).layer(inner).oneshot(post()).await.unwrap();
    assert_eq!(text(small).await.1, "theirs");
    assert_eq!(fallback.status().not_replayable, 1);
}

#[tokio::test(start_paused = true)]
async fn no_provider_is_asked_after_the_deadline() {
    let slow = |request: Request<Sent>| async move {
        tokio::time::sleep(ms(100)).await;
        read(request).await;
        Ok::<_, BoxError>(answer(503, "busy"))
    };
    let service = Failover::builder("ai")
        .registry(&Registry::new())
        .provider("one", service_fn(slow))
        .provider("two", service_fn(slow))
        .provider("three", service_fn(slow))
        .build()
        .unwrap()
        .http_client();
    let mut request = Request::post("/").body(Full::from("hello")).unwrap();
    request.extensions_mut().insert(Deadline::after(ms(150)));
    assert_eq!(text(service.clone().oneshot(request).await.unwrap()).await.0, 503);
    let status = service.status();
    assert_eq!((status.providers[0].passed_on, status.providers[1].passed_on, status.over_time), (1, 0, 1));
}

/// A gRPC provider that takes its time and is unavailable then, or says how much time it was told that it has.
async fn told(path: &'static str, request: Request<Sent>) -> Result<Response<Body>, BoxError> {
    let head = Response::builder().header("content-type", "application/grpc");
    if path == "slow" {
        tokio::time::sleep(ms(900)).await;
        return Ok(head.header("grpc-status", "14").body(Body::default())?);
    }
    let left = request.headers()["grpc-timeout"].clone();
    Ok(head.header("grpc-status", "0").header("told", left).body(Body::default())?)
}

fn with_a_second() -> Request<Body> {
    let request = Request::post("/shop/Buy").header("content-type", "application/grpc");
    request.header("grpc-timeout", "1S").body(Body::default()).unwrap()
}

/// The next one is told what is left, and not what the first one had.
#[tokio::test(start_paused = true)]
async fn who_is_asked_next_is_told_how_much_time_is_left() {
    let provider = |path| service_fn(move |request| told(path, request)).boxed_clone();
    let failover = Failover::builder("ai").registry(&Registry::new());
    let failover = failover.provider("one", provider("slow")).provider("two", provider("well")).build();
    let response = failover.unwrap().grpc().oneshot(with_a_second()).await.unwrap();
    assert_eq!(response.headers()["told"], "100000u");
}

#[tokio::test(start_paused = true)]
async fn so_is_the_service_that_answers_instead() {
    let service = |path| service_fn(move |request| told(path, request));
    let layer = FallbackLayer::service(fallback().build().unwrap(), service("well")).grpc();
    let response = layer.layer(service("slow")).oneshot(with_a_second()).await.unwrap();
    assert_eq!(response.headers()["told"], "100000u");
}
