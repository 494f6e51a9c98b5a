//! HTTP: the latency is that of the head, and the place is held until the body has ended.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use portcullis::{AdaptiveLimitLayer, BoxError};
use tokio::time::{advance, sleep};
use tower::{Layer, ServiceExt, service_fn};

use super::support::{limit, ms};

async fn answer(request: Request<u64>) -> Result<Response<Full<Bytes>>, BoxError> {
    sleep(Duration::from_millis(*request.body())).await;
    let refuses = request.uri().path() == "/busy";
    let status = if refuses { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    Ok(Response::builder().status(status).body(Full::new(Bytes::from_static(b"body")))?)
}

fn get(path: &str, millis: u64) -> Request<u64> {
    Request::builder().uri(path).body(millis).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_read_slowly_holds_the_place_but_is_no_latency() {
    let limit = limit(1).build().unwrap();
    let service = AdaptiveLimitLayer::new(limit.clone()).http_client().layer(service_fn(answer));
    for _ in 0..40 {
        let response = service.clone().oneshot(get("/", 20)).await.unwrap();
        assert_eq!(limit.status().in_flight, 1);
        advance(ms(2000)).await;
        response.into_body().collect().await.unwrap();
        assert_eq!(limit.status().in_flight, 0);
    }
    let status = limit.status();
    assert!(status.latency.unwrap() < ms(30), "{status:?}");
    assert_eq!(status.successes, 40);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_503_is_congested() {
    let limit = limit(20).build().unwrap();
    let service = AdaptiveLimitLayer::new(limit.clone()).http_client().layer(service_fn(answer));
    for _ in 0..100 {
        let response = service.clone().oneshot(get("/busy", 5)).await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
    assert!(limit.status().limit < 20, "{limit:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_answers_503_itself_when_it_is_full() {
    let limit = limit(1).build().unwrap();
    let _held = limit.try_admit().unwrap();
    let service = AdaptiveLimitLayer::new(limit.clone()).http_server().layer(service_fn(answer));
    let response = service.oneshot(get("/", 5)).await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(document["evidence"], serde_json::json!({ "limit": 1, "in_flight": 1 }));
}
