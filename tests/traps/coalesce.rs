//! T04: a waiter that wakes itself; and what shares a call must live through: a stampede, and a leader that goes.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use futures_util::future::join_all;
use http_body_util::{BodyExt, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use portcullis::{Coalesce, CoalesceLayer, Registry, coalesce::ByRequest};
use portcullis_tests::{
    net::{Gate, Server, client, soon},
    polls::count_polls,
};
use tower::{Layer, ServiceExt};

use crate::common::{hanging, secs};

fn coalesce() -> Coalesce {
    Coalesce::builder("prices").registry(&Registry::new()).build().unwrap()
}

/// 3 million polls and 0.4 s of a processor per second, for one waiter.
#[tokio::test(start_paused = true)]
async fn t04_who_waits_for_another_call_is_not_polled() {
    let coalesce = coalesce();
    let service = CoalesceLayer::new(coalesce.clone()).by(|_: &u32| Some("same")).layer(hanging().0);
    let _leader = tokio::spawn(service.clone().oneshot(1));
    tokio::task::yield_now().await;
    let waiter = tokio::time::timeout(secs(1), service.oneshot(2));
    let (result, polls) = count_polls(waiter).await;
    assert!(result.is_err());
    assert!(polls < 10, "{polls} polls in a second");
    assert_eq!(coalesce.status().led, 1);
}

/// A front that asks an upstream by hyper's client for every call that it makes.
struct Front {
    coalesce: Coalesce,
    /// Holds up what the upstream answers.
    gate: Gate,
    upstream_calls: Arc<AtomicUsize>,
    server: Server,
    _upstream: Server,
}

impl Front {
    async fn start() -> Self {
        let (gate, upstream_calls) = (Gate::default(), Arc::new(AtomicUsize::new(0)));
        let answer = |State((gate, calls)): State<(Gate, Arc<AtomicUsize>)>| async move {
            calls.fetch_add(1, SeqCst);
            gate.pass().await;
            "42"
        };
        let state = (gate.clone(), upstream_calls.clone());
        let upstream = Server::axum(Router::new().route("/", get(answer)).with_state(state)).await;
        let url: http::Uri = upstream.url("/").parse().unwrap();
        let ask = Client::builder(TokioExecutor::new()).build_http::<Empty<bytes::Bytes>>();
        let forward = move || async move {
            let response = ask.get(url).await.map_err(|_| StatusCode::BAD_GATEWAY)?;
            let body = response.into_body().collect().await.map_err(|_| StatusCode::BAD_GATEWAY)?;
            Ok::<_, StatusCode>(body.to_bytes())
        };
        let coalesce = coalesce();
        let layer = CoalesceLayer::new(coalesce.clone()).by(ByRequest::new()).http_server();
        let server = Server::axum(Router::new().route("/prices", get(forward)).layer(layer)).await;
        Self { coalesce, gate, upstream_calls, server, _upstream: upstream }
    }

    /// What a client of its own connection gets.
    fn get(&self) -> tokio::task::JoinHandle<String> {
        let url = self.server.url("/prices");
        tokio::spawn(async move { client().get(url).send().await.unwrap().text().await.unwrap() })
    }

    async fn until(&self, calls: usize, waiting: u64) {
        let reached = async {
            while self.upstream_calls.load(SeqCst) < calls || self.coalesce.status().waiting < waiting {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        };
        soon(reached).await;
    }
}

#[tokio::test]
async fn fifty_clients_cost_the_upstream_one_call() {
    let front = Front::start().await;
    let clients: Vec<_> = (0..50).map(|_| front.get()).collect();
    front.until(1, 49).await;
    front.gate.open();
    for answer in soon(join_all(clients)).await {
        assert_eq!(answer.unwrap(), "42");
    }
    assert_eq!(front.upstream_calls.load(SeqCst), 1);
    assert_eq!((front.coalesce.status().led, front.coalesce.status().shared), (1, 49));
}

/// The client whose call it was hangs up: hyper drops the call, and the others must not be lost with it.
#[tokio::test]
async fn a_leader_that_hangs_up_leaves_the_others_served() {
    let front = Front::start().await;
    let leader = front.get();
    front.until(1, 0).await;
    let others: Vec<_> = (0..10).map(|_| front.get()).collect();
    front.until(1, 10).await;
    leader.abort();
    front.until(2, 9).await;
    front.gate.open();
    for answer in soon(join_all(others)).await {
        assert_eq!(answer.unwrap(), "42");
    }
    assert_eq!(front.upstream_calls.load(SeqCst), 2);
    assert_eq!((front.coalesce.status().promoted, front.coalesce.status().shared), (1, 9));
}
