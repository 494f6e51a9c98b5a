//! axum: a router's layer, a route's, a method router's and a handler's.

use ::axum::{
    Router,
    body::Body,
    handler::Handler,
    middleware::{Next, from_fn},
    routing::get,
};
use ::tower::{Layer, ServiceBuilder, ServiceExt, make::Shared};
use http::{Request, StatusCode};
use portcullis::{Probe, ProbeLayer};

use super::{each, stack};
use crate::policies::{
    breaker, bulkhead, coalesce, executor, health, keyed, observe, response, retry, thread_pool, total,
    whole_response,
};

async fn answer() -> &'static str {
    "answered"
}

fn ask() -> Request<Body> {
    Request::get("/").body(Body::empty()).unwrap()
}

fn probe() -> ProbeLayer<fn() -> Request<Body>> {
    let probe = Probe::builder("axum").build().unwrap();
    ProbeLayer::new(probe, ask as fn() -> _)
}

async fn assert_answers(router: Router) {
    let response = router.oneshot(ask()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

macro_rules! each_layer {
    (|$name:ident| $body:expr) => {
        each!(
            breaker().http_server(),
            keyed().http_server(),
            retry().http_server(),
            retry().http_server().rebody(Body::new),
            bulkhead().http_server(),
            thread_pool().http_server(),
            coalesce().http_server(),
            executor().http_server(),
            observe().http_server(),
            total().http_server(),
            whole_response().http_server(),
            health(),
            response().http_server(),
            probe().http_server(),
            stack!(http_server),
            (health(), stack!(http_server, rebody Body::new));
            |$name| $body
        );
    };
}

#[tokio::test]
async fn router() {
    each_layer!(|layer| assert_answers(Router::new().route("/", get(answer)).layer(layer)).await);
}

#[tokio::test]
async fn route() {
    each_layer!(|layer| assert_answers(Router::new().route("/", get(answer)).route_layer(layer)).await);
}

#[tokio::test]
async fn method_router() {
    each_layer!(|layer| assert_answers(Router::new().route("/", get(answer).layer(layer))).await);
}

#[tokio::test]
async fn handler() {
    each_layer!(|layer| assert_answers(Router::new().route("/", get(answer.layer(layer)))).await);
}

/// A layer over another, each with the bodies that the one below made.
#[tokio::test]
async fn layer_upon_layer() {
    let router = Router::new()
        .route("/", get(answer))
        .layer(bulkhead().http_server())
        .layer(breaker().http_server())
        .layer(retry().http_server())
        .layer(total().http_server())
        .layer(health());
    assert_answers(router).await;
}

/// Around the whole router, where a layer is asked before a route is chosen.
#[tokio::test]
async fn around_a_router() {
    let router = Router::new().route("/", get(answer));
    let layers = (health(), stack!(http_server));
    let service = layers.layer(router.clone());
    assert_eq!(service.clone().oneshot(ask()).await.unwrap().status(), StatusCode::OK);
    assert_answers(Router::new().fallback_service(service.clone())).await;
    assert_answers(Router::new().nest_service("/nested", service.clone()).fallback_service(service)).await;
}

/// `axum::serve` wants the very body of axum.
#[tokio::test]
async fn served() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let service = ServiceBuilder::new()
        .map_response(|response: http::Response<_>| response.map(Body::new))
        .layer(health())
        .layer(stack!(http_server))
        .service(Router::new().route("/", get(answer)));
    drop(::axum::serve(listener, Shared::new(service)).into_future());
}

/// A middleware of axum takes the very body of axum, so that a retry around it must give it that.
#[tokio::test]
async fn around_a_middleware() {
    let middleware = from_fn(async |request: Request<Body>, next: Next| next.run(request).await);
    let layers = (stack!(http_server, rebody Body::new), middleware);
    assert_answers(Router::new().route("/", get(answer)).layer(layers)).await;
}
