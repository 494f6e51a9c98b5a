//! What HTTP and gRPC clients see.

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use portcullis::{BoxError, KeyedBulkhead, KeyedBulkheadLayer, keyed::by};
use tower::{Layer, ServiceExt, service_fn};

use super::support::{settle, take, tenants};

type Body = Full<Bytes>;

async fn answer(_: Request<Body>) -> Result<Response<Body>, BoxError> {
    Ok(Response::new(Full::from("42")))
}

fn request(tenant: &str, content_type: &str) -> Request<Body> {
    let request = Request::post("/").header("x-tenant", tenant).header(header::CONTENT_TYPE, content_type);
    request.body(Full::default()).unwrap()
}

fn two_of_three() -> KeyedBulkhead {
    tenants(3).per_key(2).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_key_that_has_its_share_is_a_429_and_a_full_bulkhead_a_503() {
    let tenants = two_of_three();
    let layer = KeyedBulkheadLayer::new(tenants.clone(), by::header("x-tenant")).http_server();
    let service = layer.layer(service_fn(answer));
    let a = take(&tenants, "a", 2);
    let refused = service.clone().oneshot(request("a", "text/plain")).await.unwrap();
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.headers()["portcullis-reason"], "key_full");
    let served = service.clone().oneshot(request("b", "text/plain")).await.unwrap();
    assert_eq!((served.status(), tenants.status().in_flight), (StatusCode::OK, 3), "its body has not ended");
    let refused = service.clone().oneshot(request("c", "text/plain")).await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(served.into_body().collect().await.unwrap().to_bytes(), "42");
    assert_eq!(tenants.status().in_flight, 2);
    drop(a);
}

#[tokio::test(start_paused = true)]
async fn grpc_is_told_that_a_resource_is_exhausted() {
    let tenants = two_of_three();
    let layer = KeyedBulkheadLayer::new(tenants.clone(), by::header("x-tenant")).grpc();
    let service = layer.layer(service_fn(answer));
    let a = take(&tenants, "a", 2);
    let refused = service.oneshot(request("a", "application/grpc")).await.unwrap();
    assert_eq!(
        (refused.status(), &refused.headers()["grpc-status"]),
        (StatusCode::OK, &"8".parse().unwrap())
    );
    assert_eq!(refused.headers()["portcullis-reason"], "key_full");
    drop(a);
}

/// A body that is dropped half-way gives the permit back, too.
#[tokio::test(start_paused = true)]
async fn the_permit_is_held_for_the_body() {
    let tenants = two_of_three();
    let layer = KeyedBulkheadLayer::new(tenants.clone(), by::header("x-tenant")).http_client();
    let service = layer.layer(service_fn(answer));
    let response = service.oneshot(request("a", "text/plain")).await.unwrap();
    settle().await;
    assert_eq!(tenants.get("a").unwrap().in_flight, 1);
    drop(response);
    assert_eq!(tenants.get("a").unwrap().in_flight, 0);
}
