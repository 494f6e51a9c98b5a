//! The providers over real connections.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, helpers included")]

use std::time::Duration;

use ai_providers::{DEADLINE, Providers, text};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use portcullis::{PolicyKind, Registry};
use tokio::time::{Instant, interval};
use tower::ServiceExt as _;
use upstream::{Upstream, soon};

fn providers(upstreams: &[&Upstream], registry: &Registry) -> Providers {
    let names = ["one", "two", "three"];
    let address = |upstream: &&Upstream| upstream.url("/").parse().unwrap();
    let order: Vec<_> = names.into_iter().zip(upstreams.iter().map(address)).collect();
    Providers::new(&order, registry).unwrap()
}

/// The status and the body of an answer, and how long it took.
async fn ask(providers: &Providers, question: &'static str) -> (StatusCode, String, Duration) {
    let start = Instant::now();
    let request = Request::post("/chat").body(Full::new(Bytes::from(question))).unwrap();
    let response = providers.client().oneshot(request).await.unwrap();
    (response.status(), text(response).await.unwrap(), start.elapsed())
}

/// One hangs, one answers five calls in a second, one is well: a hundred calls a second for three seconds.
#[tokio::test]
async fn nearly_all_are_in_time_and_none_fails_after_the_first_second() {
    let [hanging, limited, well] = [(); 3].map(|()| Upstream::start().unwrap());
    hanging.set_hanging(true);
    limited.set_quota(5);
    let registry = Registry::new();
    let providers = providers(&[&hanging, &limited, &well], &registry);
    let (start, mut tick, mut calls) = (Instant::now(), interval(Duration::from_millis(10)), Vec::new());
    while start.elapsed() < Duration::from_secs(3) {
        tick.tick().await;
        let (providers, at) = (providers.clone(), start.elapsed());
        calls.push((at, tokio::spawn(async move { ask(&providers, "hello").await })));
    }
    let mut took = Vec::new();
    for (at, call) in calls {
        let (status, body, time) = soon(call).await.unwrap();
        if at >= Duration::from_secs(1) {
            assert_eq!((status, &*body), (StatusCode::OK, "POST /chat hello"), "at {at:?}");
        }
        took.push(time);
    }
    took.sort_unstable();
    assert!(took[took.len() * 99 / 100] <= DEADLINE, "{:?}", took.last());
    assert!(hanging.seen().len() < took.len() / 2, "the breaker opened: {}", hanging.seen().len());
    assert!(limited.seen().len() < took.len() / 2, "it was left alone: {}", limited.seen().len());
    assert!(well.seen().len() > took.len() / 2);
    let seen = registry.get(PolicyKind::Breaker, "one").unwrap().snapshot();
    assert_ne!(seen.state, "closed");
}

#[tokio::test]
async fn the_next_gets_the_whole_request() {
    let [one, two] = [(); 2].map(|()| Upstream::start().unwrap());
    one.set_down(true);
    let providers = providers(&[&one, &two], &Registry::new());
    let (status, body, _) = soon(ask(&providers, "how are you")).await;
    assert_eq!((status, &*body), (StatusCode::OK, "POST /chat how are you"));
    assert_eq!(one.seen(), ["POST /chat how are you"]);
}

#[tokio::test]
async fn where_all_fail_the_last_ones_answer_is_told() {
    let [one, two] = [(); 2].map(|()| Upstream::start().unwrap());
    one.set_down(true);
    two.set_quota(0);
    let providers = providers(&[&one, &two], &Registry::new());
    assert_eq!(soon(ask(&providers, "hello")).await.0, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(providers.failover().status().exhausted, 1);
}

#[tokio::test]
async fn the_program_runs() {
    let program = tokio::process::Command::new(env!("CARGO_BIN_EXE_ai-providers")).output();
    let output = soon(program).await.unwrap();
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("99 of 100 at most"), "{told}");
}
