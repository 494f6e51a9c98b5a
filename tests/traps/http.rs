//! T02, where state was made in `Layer::layer`: axum calls that once per route and handler, and again for
//! every connection. Over real ones, a bulkhead of 1 let 8 run, and a breaker of 2 gave eight 500s.

use axum::{Router, routing::get};
use futures_util::{StreamExt, stream::FuturesUnordered};
use http::StatusCode;
use portcullis::{Breaker, BreakerLayer, Bulkhead, BulkheadLayer, PolicyKind, breaker::State};
use portcullis_tests::net::{Gate, Server, client, soon};

const CONNECTIONS: usize = 8;

/// Two routes, so that both ways to lose the state are open.
const PATHS: [&str; 2] = ["/orders", "/stock"];

#[tokio::test]
async fn t02_a_bulkhead_of_one_lets_one_run_over_eight_connections() {
    let (gate, bulkhead) = (Gate::default(), Bulkhead::builder("t02").max_in_flight(1).build().unwrap());
    let inside = gate.clone();
    let handler = async move || inside.pass().await;
    let app = Router::new().route(PATHS[0], get(handler.clone())).route(PATHS[1], get(handler));
    let app = app.layer(BulkheadLayer::new(bulkhead.clone()).http_server());
    let server = Server::axum(app).await;

    let mut calls: FuturesUnordered<_> =
        (0..CONNECTIONS).map(|n| client().get(server.url(PATHS[n % 2])).send()).collect();
    let refused: Vec<_> = soon(calls.by_ref().take(CONNECTIONS - 1).collect()).await;

    for answer in refused {
        let answer = answer.unwrap();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        let problem = answer.text().await.unwrap();
        assert!(problem.contains(PolicyKind::Bulkhead.as_str()), "{problem}");
    }
    assert_eq!((gate.inside(), bulkhead.status().in_flight), (1, 1));
    gate.open();
    assert_eq!(soon(calls.next()).await.unwrap().unwrap().status(), StatusCode::OK);
    assert_eq!(gate.most(), 1);
}

#[tokio::test]
async fn t02_a_breaker_opens_after_its_failures_over_all_connections() {
    let (gate, breaker) = (Gate::default(), Breaker::builder("t02").consecutive_failures(2).build().unwrap());
    gate.open();
    let inside = gate.clone();
    let handler = async move || {
        inside.pass().await;
        StatusCode::INTERNAL_SERVER_ERROR
    };
    let app = Router::new().route(PATHS[0], get(handler.clone())).route(PATHS[1], get(handler));
    let app = app.layer(BreakerLayer::new(breaker.clone()).http_server());
    let server = Server::axum(app).await;

    let mut statuses = Vec::new();
    for n in 0..CONNECTIONS {
        let answer = soon(client().get(server.url(PATHS[n % 2])).send()).await.unwrap();
        statuses.push(answer.status().as_u16());
    }

    assert_eq!(statuses, [500, 500, 503, 503, 503, 503, 503, 503]);
    assert_eq!((gate.entered(), breaker.state()), (2, State::Open));
}

/// The same layer on one handler, which axum lays again for every request.
#[tokio::test]
async fn t02_a_layer_on_a_handler_keeps_its_state_from_request_to_request() {
    use axum::handler::Handler;
    let breaker = Breaker::builder("t02").consecutive_failures(2).build().unwrap();
    let handler = async || StatusCode::INTERNAL_SERVER_ERROR;
    let handler = handler.layer(BreakerLayer::new(breaker.clone()).http_server());
    let server = Server::axum(Router::new().route("/", get(handler))).await;
    let client = client();

    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(soon(client.get(server.url("/")).send()).await.unwrap().status().as_u16());
    }

    assert_eq!(statuses, [500, 500, 503, 503]);
}
