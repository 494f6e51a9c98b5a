//! How much of its callers' retries a dead server gets to see.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use http::Method;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use portcullis::{
    RetryBudget, RetryLayer, RetryPolicy,
    retry::{Backoff, BudgetConfig},
};
use portcullis_tests::net::soon;
use tokio::time::Instant;
use tower::{ServiceBuilder, ServiceExt};

use crate::{
    common::request,
    raw::{Close, Peer},
};

/// A layer on its way down, generous to itself.
fn retry(name: &str, budget: &RetryBudget) -> RetryLayer {
    let policy = RetryPolicy::builder(name).max_attempts(5).backoff(Backoff::NONE).budget(budget);
    RetryLayer::new(policy.build().unwrap())
}

/// The requests that a dead server sees of so many calls through a gateway, a service and a client that all
/// retry; and how long that took.
async fn requests(calls: usize, config: BudgetConfig) -> (usize, Duration) {
    let peer = Peer::start(Close::AfterRequest).await;
    let budget = RetryBudget::new("stack", config).unwrap();
    let inner = budget.withdraw_only();
    let stack = ServiceBuilder::new()
        .layer(retry("gateway", &budget).http_client())
        .layer(retry("service", &inner).http_client())
        .layer(retry("client", &inner).http_client())
        .service(Client::builder(TokioExecutor::new()).build_http());
    let begin = Instant::now();

    let ends = stream::iter(0..calls).map(|_| stack.clone().oneshot(request(&Method::GET, &peer.url())));
    let answered =
        soon(ends.buffer_unordered(10).filter(|end| std::future::ready(end.is_ok())).count()).await;

    assert_eq!(answered, 0);
    let took = begin.elapsed();
    (peer.end().await.len(), took)
}

/// Without a budget these are five times five times five; with one each, still far more than was said.
#[tokio::test]
async fn three_layers_of_retry_cost_a_dead_server_what_one_would() {
    let (requests, _) = requests(1_000, BudgetConfig::share(0.2, 0)).await;

    assert!((1_100..=1_200).contains(&requests), "{requests}");
}

#[tokio::test]
async fn with_the_default_budget_it_sees_a_fifth_more_and_ten_a_second() {
    let (requests, took) = requests(1_000, BudgetConfig::default()).await;

    let floor = 10 * (took.as_secs() as usize + 2);
    assert!((1_100..=1_200 + floor).contains(&requests), "{requests} in {took:?}");
}
