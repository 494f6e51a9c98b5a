//! State that all requests of a client share, because the stack is built once.

use axum::{Router, routing::get};
use portcullis_reqwest::{StackError, TowerMiddleware};
use reqwest_middleware::ClientWithMiddleware;
use tokio::task::JoinSet;
use tower::{ServiceBuilder, limit::ConcurrencyLimitLayer, load_shed::error::Overloaded};

use crate::support::{Gate, Server, chain, find, soon};

async fn gated() -> (Server, Gate) {
    let gate = Gate::new();
    let pass = gate.clone();
    let handler = async move || {
        pass.pass().await;
        "through"
    };
    let router = Router::new().route("/", get(handler)).route("/open", get(async || "open"));
    (Server::start(router).await, gate)
}

fn send_all(count: usize, client: &ClientWithMiddleware, url: &str) -> JoinSet<reqwest::StatusCode> {
    let send = |_| {
        let request = client.get(url).send();
        async { soon(request).await.expect("an answer").status() }
    };
    (0..count).map(send).collect()
}

#[tokio::test]
async fn a_concurrency_limit_holds_for_all_requests_together() {
    let (server, gate) = gated().await;
    let client = chain().with(TowerMiddleware::new(ConcurrencyLimitLayer::new(2))).build();

    let requests = send_all(8, &client, &server.url("/"));
    for _ in 0..8 {
        gate.arrival().await;
        // Time for a request that should not be here: the server answers another client.
        soon(crate::support::client().get(server.url("/open")).send()).await.expect("an answer");
        gate.release(1);
    }

    assert_eq!(soon(requests.join_all()).await, [200; 8]);
    assert_eq!(gate.most(), 2);
}

#[tokio::test]
async fn a_clone_of_the_middleware_shares_the_limit() {
    let (server, gate) = gated().await;
    let middleware = TowerMiddleware::new(ServiceBuilder::new().load_shed().concurrency_limit(1));
    let (one, other) = (chain().with(middleware.clone()).build(), chain().with(middleware).build());

    let first = send_all(1, &one, &server.url("/"));
    gate.arrival().await;
    let error = soon(other.get(server.url("/")).send()).await.expect_err("the limit is one");
    gate.release(1);

    assert!(find::<Overloaded>(&error).is_some(), "{error:?}");
    assert_eq!(soon(first.join_all()).await, [200]);
}

#[tokio::test]
async fn load_is_shed_while_the_limit_is_reached_and_accepted_again_after() {
    let (server, gate) = gated().await;
    let stack = ServiceBuilder::new().load_shed().concurrency_limit(1);
    let client = chain().with(TowerMiddleware::new(stack)).build();

    let first = send_all(1, &client, &server.url("/"));
    gate.arrival().await;
    let error = soon(client.get(server.url("/")).send()).await.expect_err("the limit is one");
    gate.release(2);

    assert_eq!(soon(first.join_all()).await, [200]);
    assert_eq!(soon(send_all(1, &client, &server.url("/")).join_all()).await, [200]);
    let reqwest_middleware::Error::Middleware(error) = error else { panic!("not from reqwest: {error}") };
    assert!(error.downcast::<StackError>().expect("of a layer").inner().is::<Overloaded>());
}
