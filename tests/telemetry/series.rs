//! T47: a label for each path of a request, and 400,000 series.

use std::{convert::Infallible, time::Duration};

use http::{Request, Response, StatusCode};
use portcullis::{
    Breaker, BreakerLayer, Bulkhead, BulkheadLayer, Health, HealthLayer, KeyedBreaker, KeyedBreakerLayer,
    KeyedRateLimit, RateLimitLayer, Registry, Timeout, TimeoutLayer, keyed::by, metrics::Prometheus,
};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

/// As many as an attacker sends in a few seconds.
const PATHS: u64 = 100_000;

fn lines(text: &str) -> Vec<&str> {
    let series = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut names: Vec<_> =
        series.filter_map(|line| line.rsplit_once(' ').map(|(series, _)| series)).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn t47_requests_add_no_series_whatever_their_paths_are() {
    let recorder = Prometheus::builder().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let registry = Registry::new();
    let prometheus = Prometheus::new(&registry, recorder.handle());
    let mut service = ServiceBuilder::new()
        .layer(HealthLayer::new(Health::new(&registry)))
        .layer(TimeoutLayer::new(timeout(&registry)).http_server())
        .layer(BreakerLayer::new(breaker(&registry)).http_server())
        .layer(KeyedBreakerLayer::new(hosts(&registry), by::text(path)).http_server())
        .layer(RateLimitLayer::by(tenants(&registry).by(by::text(path))).http_server())
        .layer(BulkheadLayer::new(bulkhead(&registry)).http_server())
        .service(service_fn(answer));
    let mut send = async |path: u64| {
        let request = Request::get(format!("/{path:x}")).body(String::new()).unwrap();
        drop(service.ready().await.unwrap().call(request).await.unwrap());
    };
    send(7).await;
    let before = prometheus.render();
    for path in 0..PATHS {
        send(path.wrapping_mul(0x9E37_79B9_7F4A_7C15)).await;
    }
    let after = prometheus.render();
    assert_eq!(lines(&after), lines(&before));
    assert!(before.len() > 1000 && after != before);
}

/// One in sixteen fails.
async fn answer(request: Request<String>) -> Result<Response<String>, Infallible> {
    let mut response = Response::new(String::new());
    if path(&request).is_some_and(|path| path.ends_with('7')) {
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    }
    Ok(response)
}

fn path(request: &Request<String>) -> Option<&str> {
    Some(request.uri().path())
}

fn timeout(registry: &Registry) -> Timeout {
    Timeout::builder("shop", Duration::from_secs(5)).registry(registry).build().unwrap()
}

fn breaker(registry: &Registry) -> Breaker {
    Breaker::builder("shop").registry(registry).build().unwrap()
}

/// A breaker for each path, which nobody should have.
fn hosts(registry: &Registry) -> KeyedBreaker<Box<str>> {
    let builder = KeyedBreaker::builder("paths").keys().max_keys(1000).consecutive_failures(1);
    builder.registry(registry).build().unwrap()
}

/// And a rate, which is soon used up by all for whom there is no room.
fn tenants(registry: &Registry) -> KeyedRateLimit<Box<str>> {
    let builder = KeyedRateLimit::builder("paths_rate").rate(1, Duration::from_secs(60)).max_keys(1000);
    builder.registry(registry).build().unwrap()
}

fn bulkhead(registry: &Registry) -> Bulkhead {
    Bulkhead::builder("shop").registry(registry).build().unwrap()
}
