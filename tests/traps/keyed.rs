//! Breakers by key: how many there may be, and that one key's trouble is its own.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use allocation_counter::measure;
use axum::{Router, extract::MatchedPath, routing::get};
use echo_proto::{echo_client::EchoClient, service::EchoService};
use http::{Request, StatusCode};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use portcullis::{
    BoxError, Failure, FailureKind, KeyedBreaker, KeyedBreakerLayer, Registry, Rejection, Ticket, Verdict,
    breaker::{KeyedBreakerBuilder, State},
    keyed::by,
};
use portcullis_testkit::script::{self, Step};
use portcullis_tests::{
    grpc::{channel, say, say_often, serve},
    net::{Server, nowhere, soon},
};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, limit::ConcurrencyLimit, service_fn};

use crate::common::{failing, rejection, secs};

/// Opens with the first failure.
fn builder(name: &str) -> KeyedBreakerBuilder {
    KeyedBreaker::builder(name).registry(&Registry::new()).consecutive_failures(1)
}

fn failure() -> Verdict {
    Failure::new(FailureKind::Timeout).into()
}

fn answer(keyed: &KeyedBreaker, key: &str, verdict: Verdict) {
    keyed.try_admit(key).unwrap().settle(verdict);
}

/// Breakers by key that are never forgotten: 200,000 keys took a peer from 3 MiB to 216.
#[test]
fn t30_a_flood_of_keys_takes_no_more_than_the_limit_and_no_open_key_with_it() {
    const KEPT: usize = 10_000;
    let keyed = builder("t30").max_keys(KEPT).open_for(secs(3600)).build().unwrap();
    let fill = |keys: std::ops::Range<usize>| {
        keys.for_each(|n| answer(&keyed, &format!("host-{n:06}"), Verdict::Success));
    };
    let open: Vec<_> = (0..100).map(|n| format!("host-{:06}", n * 100)).collect();

    let filled = measure(|| {
        fill(0..KEPT);
        open.iter().for_each(|key| answer(&keyed, key, failure()));
    });
    let flooded = measure(|| fill(KEPT..200_000));

    assert!(filled.bytes_current < 4 << 20, "{} bytes", filled.bytes_current);
    assert!(
        flooded.bytes_current < filled.bytes_current / 10,
        "{} after {}",
        flooded.bytes_current,
        filled.bytes_current
    );
    assert!(open.iter().all(|key| keyed.get(key.as_str()).is_some_and(|host| host.state() == State::Open)));
    let seen = keyed.status();
    assert_eq!((seen.keys, seen.in_state(State::Open), seen.overflows), (KEPT, 100, 0));
    assert_eq!(seen.evictions.full, 190_000);
}

/// A flood of keys that all fail cannot push each other out: the map is full of open keys, and whoever comes
/// then shares one breaker, which is visible.
#[test]
fn t30_keys_without_room_share_a_breaker_that_is_seen() {
    let registry = Registry::new();
    let keyed = builder("t30").max_keys(100).registry(&registry).build().unwrap();
    for n in 0..101 {
        answer(&keyed, &format!("host-{n}"), failure());
    }
    let refused = keyed.try_admit("another").unwrap_err();
    assert_eq!(&**refused.policy(), "t30/(other)");
    assert_eq!(registry.snapshot().iter().filter(|seen| seen.state == "open").count(), 2);
    assert_eq!(keyed.status().overflows, 2);
}

/// One broken route of a router, by its path as the router knows it.
#[tokio::test]
async fn t30_a_route_that_fails_does_no_harm_to_others() {
    let routes = builder("routes").build().unwrap();
    let by_route = by::extension(|path: &MatchedPath| path.as_str());
    let app = Router::new()
        .route("/broken/{id}", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .route("/fine/{id}", get(|| async { "fine" }))
        .route_layer(KeyedBreakerLayer::new(routes.clone(), by_route).http_server());
    let server = Server::axum(app).await;
    let ask = async |path: &str| soon(reqwest::get(server.url(path))).await.unwrap();

    assert_eq!(ask("/broken/1").await.status(), 500);
    let refused = ask("/broken/2").await;
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    for path in ["/fine/1", "/fine/2"] {
        assert_eq!(ask(path).await.status(), 200);
    }
    assert_eq!(routes.get("/broken/{id}").unwrap().state(), State::Open);
    assert_eq!(routes.len(), 2, "routes, not paths");
}

/// One server of many names, by the name; capital letters make no other host.
#[tokio::test]
async fn t30_a_tenant_that_fails_does_no_harm_to_others() {
    let hosts = builder("hosts").build().unwrap();
    let app = Router::new()
        .route(
            "/",
            get(async |request: Request<axum::body::Body>| {
                let broken = request.headers()["host"].as_bytes().eq_ignore_ascii_case(b"broken.example");
                if broken { StatusCode::BAD_GATEWAY } else { StatusCode::OK }
            }),
        )
        .layer(KeyedBreakerLayer::new(hosts.clone(), by::host()).http_server());
    let ask = async |host: &str| {
        let request = Request::get("/").header("host", host).body(axum::body::Body::empty()).unwrap();
        app.clone().oneshot(request).await.unwrap().status()
    };
    assert_eq!(ask("broken.example").await, StatusCode::BAD_GATEWAY);
    assert_eq!(ask("Broken.Example").await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ask("fine.example").await, StatusCode::OK);
    assert_eq!(hosts.len(), 2);
}

/// One client of many hosts, of which one is down.
#[tokio::test]
async fn t30_a_host_that_is_down_does_no_harm_to_others() {
    let hosts = builder("upstream").build().unwrap();
    let server = Server::axum(Router::new().route("/", get(|| async { "up" }))).await;
    let (up, down) = (server.url("/"), format!("{}/", nowhere()));
    let client = KeyedBreakerLayer::new(hosts.clone(), by::host())
        .http_client()
        .layer(Client::builder(TokioExecutor::new()).build_http());
    let ask = async |url: &str| {
        let request = Request::get(url).body(axum::body::Body::empty()).unwrap();
        soon(client.clone().oneshot(request)).await.map(|response| response.status())
    };
    let not_reached: BoxError = ask(&down).await.unwrap_err();
    assert!(Rejection::find(&*not_reached).is_none());
    let refused = rejection(ask(&down).await);
    assert_eq!(format!("http://{}/", refused.policy().strip_prefix("upstream/").unwrap()), down);
    for _ in 0..3 {
        assert_eq!(ask(&up).await.unwrap(), StatusCode::OK);
    }
    assert_eq!(hosts.abnormal().len(), 1);
}

/// One method of a gRPC service, by its path.
#[tokio::test]
async fn t30_a_method_that_fails_does_no_harm_to_others() {
    let methods = builder("echo").build().unwrap();
    let server = serve(EchoService::default()).await;
    let layer = KeyedBreakerLayer::new(methods.clone(), by::path()).grpc();
    let mut client = EchoClient::new(ServiceBuilder::new().layer(layer).service(channel(&server.url(""))));

    let broken = echo_proto::EchoRequest { fail_code: tonic::Code::Unavailable as i32, ..say(0) };
    let failed = soon(client.unary(broken)).await.unwrap_err();
    assert!(failed.metadata().get("portcullis-reason").is_none());
    let refused = soon(client.unary(say(0))).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unavailable);
    assert_eq!(refused.metadata().get("portcullis-reason").unwrap(), "open");

    let mut replies = soon(client.server_stream(say_often(2, 0))).await.unwrap().into_inner();
    while soon(replies.message()).await.unwrap().is_some() {}
    assert_eq!(methods.get("/echo.v1.Echo/Unary").unwrap().state(), State::Open);
    assert_eq!(methods.get("/echo.v1.Echo/ServerStream").unwrap().status().successes, 1);
}

/// A request without a key passes, and leaves nothing behind.
#[tokio::test]
async fn t30_requests_without_a_key_pass() {
    let tenants = builder("tenants").build().unwrap();
    let (inner, _) = failing();
    let layer = KeyedBreakerLayer::new(tenants.clone(), by::text(|_: &u32| None::<&str>));
    let service = layer.layer(inner);
    for n in 0..3 {
        assert_eq!(service.clone().oneshot(n).await.unwrap_err().to_string(), "down");
    }
    assert!(tenants.is_empty());
}

/// What the inner service has reserved for a call is given back when the call is refused.
#[tokio::test]
async fn t30_a_refused_key_keeps_no_permit_of_the_others() {
    let hosts = builder("hosts").build().unwrap();
    hosts.get_or_make("broken").unwrap().isolate();
    let inner = service_fn(async |host: String| Ok::<_, BoxError>(host));
    let layer = KeyedBreakerLayer::new(hosts, by::text(|host: &String| Some(host)));
    let mut refused = layer.layer(ConcurrencyLimit::new(inner, 1));
    let other = refused.clone();
    assert_eq!(
        rejection(refused.ready().await.unwrap().call("broken".into()).await).reason().as_str(),
        "isolated"
    );
    assert_eq!(soon(other.oneshot("fine".into())).await.unwrap(), "fine");
}

/// An error of readiness is no key's, and keeps none from working.
#[tokio::test]
async fn t30_an_error_of_readiness_is_no_keys_failure() {
    let hosts = builder("hosts").build().unwrap();
    let (inner, handle) = script::always(|n: &u32| Step::<u32, BoxError>::ok(*n));
    handle.fail_readiness(|| "not now".into());
    let layer = KeyedBreakerLayer::new(hosts.clone(), |_: &u32| Some("one".to_owned().into_boxed_str()));
    let mut service = layer.layer(inner);
    assert_eq!(service.ready().await.unwrap_err().to_string(), "not now");
    assert!(hosts.is_empty());
}

/// The key stays while its call is under way, and is free when the caller gives up.
#[tokio::test(start_paused = true)]
async fn t30_a_call_that_is_dropped_lets_its_key_go() {
    let hosts = builder("hosts").max_keys(1).build().unwrap();
    let began = Arc::new(AtomicBool::new(false));
    let seen = began.clone();
    let inner = service_fn(move |_: String| {
        seen.store(true, SeqCst);
        std::future::pending::<Result<(), BoxError>>()
    });
    let service = KeyedBreakerLayer::new(hosts.clone(), by::text(|host: &String| Some(host))).layer(inner);
    let call = tokio::time::timeout(Duration::from_secs(1), service.oneshot("a".into()));
    call.await.unwrap_err();
    assert!(began.load(SeqCst));
    assert_eq!(hosts.get("a").unwrap().status().abandoned, 1);
    assert!(hosts.get_or_make("b").is_some(), "a has gone");
}
