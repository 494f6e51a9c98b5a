//! T19: a cache whose hits wait for the service below, and that lets a stampede through: fifty identical misses made
//! fifty calls.

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    pin::pin,
    task::{Context, Poll, Waker},
};

use axum::{Router, body::Body, routing::get};
use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use portcullis::{
    BoxError, Cache, CacheLayer, Registry, cache::CacheBuilder, keyed::by, share::SharedResponse,
};
use portcullis_tests::net::{Gate, Server, client, soon};
use tower::{Layer, Service, ServiceExt, limit::ConcurrencyLimit, service_fn};

use crate::common::{hanging, healthy, ms, settle};

fn pages() -> CacheBuilder<Box<str>, SharedResponse> {
    Cache::builder("t19").registry(&Registry::new())
}

/// By themselves.
type Numbers = CacheLayer<u32, u32, fn(&u32) -> Option<u32>>;

fn numbers() -> (Cache<u32, u32>, Numbers) {
    let cache = Cache::builder("t19").registry(&Registry::new()).build().unwrap();
    (cache.clone(), CacheLayer::new(cache).by(|n| Some(*n)))
}

/// The one call that the service below takes hangs. What is kept is served all the same.
#[tokio::test(start_paused = true)]
async fn t19_a_hit_does_not_wait_for_the_service_below() {
    let (cache, layer) = numbers();
    cache.insert(1, 10);
    let (inner, _steering) = hanging();
    let mut service = layer.layer(ConcurrencyLimit::new(inner, 1));
    let hangs = tokio::spawn(service.clone().oneshot(2));
    settle().await;

    let begin = tokio::time::Instant::now();
    poll_fn(|cx| service.poll_ready(cx)).await.unwrap();
    assert_eq!(service.call(1).await.unwrap(), 10);
    assert_eq!(begin.elapsed(), ms(0));
    assert!(tokio::time::timeout(ms(100), service.clone().oneshot(3)).await.is_err(), "a miss waits");
    hangs.abort();
}

#[tokio::test(start_paused = true)]
async fn t19_fifty_identical_misses_make_one_call() {
    let (cache, layer) = numbers();
    let (inner, steering) = healthy();
    let service = layer.layer(inner);
    let answers = join_all((0..50).map(|_| service.clone().oneshot(7))).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap() == 7));
    assert_eq!(steering.tally().calls, 1);
    assert_eq!(cache.status().misses, 1);
}

/// A server keeps its pages: fifty who ask for one at a time, over connections of their own, make one call of its
/// handler.
#[tokio::test]
async fn t19_a_server_makes_one_page_for_fifty() {
    let gate = Gate::default();
    let inside = gate.clone();
    let cache = pages().build().unwrap();
    let page = get(async move || {
        inside.pass().await;
        "page"
    });
    let app = Router::new().route("/page", page).layer(CacheLayer::http(cache.clone()).http_server());
    let server = Server::axum(app).await;
    let all: Vec<_> = (0..50).map(|_| tokio::spawn(client().get(server.url("/page")).send())).collect();
    soon(async {
        while gate.inside() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    gate.open();
    for answer in all {
        let answer = soon(answer).await.unwrap().unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(soon(answer.text()).await.unwrap(), "page");
    }
    assert_eq!(gate.entered(), 1);
    let status = cache.status();
    assert_eq!((status.misses, status.hits + status.coalesced), (1, 49));
}

/// A client keeps what a server answered: fifty calls make one, and what is kept is served when the server is gone.
#[tokio::test]
async fn t19_a_client_asks_once_and_needs_no_server_for_what_it_has() {
    let gate = Gate::default();
    gate.open();
    let inside = gate.clone();
    let page = get(async move || {
        inside.pass().await;
        "page"
    });
    let server = Server::axum(Router::new().route("/page", page)).await;
    let url = server.url("/page");
    let http = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let service = CacheLayer::http(pages().build().unwrap()).layer(http);
    let ask = async || {
        let request = Request::get(&url).body(Full::default()).unwrap();
        let answer = soon(service.clone().oneshot(request)).await?;
        Ok::<_, BoxError>(soon(answer.into_body().collect()).await?.to_bytes())
    };
    for answer in join_all((0..50).map(|_| ask())).await {
        assert_eq!(answer.unwrap(), "page");
    }
    assert_eq!(gate.entered(), 1);
    drop(server);
    assert_eq!(ask().await.unwrap(), "page");
}

/// What is private goes to whom it is for, though all asked at the same time for the same.
#[tokio::test]
async fn t19_one_call_for_all_is_not_one_for_what_is_private() {
    let handler = service_fn(|request: Request<Body>| async move {
        let who = request.headers()["x-user"].to_str().unwrap().to_owned();
        tokio::task::yield_now().await;
        let answer = http::Response::builder().header("cache-control", "private").body(Body::from(who));
        Ok::<_, Infallible>(answer.unwrap())
    });
    let app = Router::new()
        .route_service("/me", handler)
        .layer(CacheLayer::http(pages().build().unwrap()).honour_headers().http_server());
    let server = Server::axum(app).await;
    let users: Vec<_> = (0..20).map(|n| format!("user {n}")).collect();
    let answers = join_all(users.iter().map(async |user| {
        let answer = soon(client().get(server.url("/me")).header("x-user", user).send()).await.unwrap();
        soon(answer.text()).await.unwrap()
    }));
    assert_eq!(answers.await, users);
}

/// An exact key needs no copy of the request's text where there is an answer.
#[tokio::test(start_paused = true)]
async fn t19_a_hit_by_a_borrowed_key() {
    let cache = Cache::<Box<str>, u32>::builder("t19").registry(&Registry::new()).build().unwrap();
    cache.insert("apple".into(), 5);
    let layer = CacheLayer::new(cache).by(by::text(|item: &String| Some(item)));
    let mut service = layer.layer(service_fn(|_: String| async { Err::<u32, BoxError>("not asked".into()) }));
    let request = "apple".to_owned();
    let counted = allocation_counter::measure(|| {
        // With a waker that costs nothing.
        let answer = pin!(service.call(request)).poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(answer, Poll::Ready(Ok(5))));
    });
    assert_eq!(counted.count_total, 0, "{counted:?}");
}
