//! Checks of the health monitor, against servers for real.

use std::time::Duration;

use axum::{Router, http::StatusCode, routing::get};
use portcullis::{
    Breaker, BreakerLayer, Health, HealthMonitor, Level, Probe, Registry,
    check::{Ask, Http, Outcome, Tcp},
    monitor::{CheckPreset, CheckStatus},
};
use portcullis_tests::{
    grpc::{channel, incoming},
    net::{Server, nowhere, soon},
};
use portcullis_tonic::{
    Tonic,
    health::{GrpcCheck, GrpcHealth},
};
use tower::ServiceBuilder;

/// What a monitor finds by this check.
async fn found(check: impl Ask) -> CheckStatus {
    let monitor = HealthMonitor::new(&Registry::new());
    monitor.check("x").preset(CheckPreset::Essential).spawn(check).unwrap();
    soon(monitor.run_one("x")).await.unwrap()
}

async fn http() -> Server {
    let well = || async { "well" };
    let ill = || async { StatusCode::SERVICE_UNAVAILABLE };
    let slow = || std::future::pending::<&'static str>();
    let router = Router::new().route("/well", get(well)).route("/ill", get(ill)).route("/slow", get(slow));
    Server::start(|listener| async move { axum::serve(listener, router).await.unwrap() }).await
}

#[tokio::test]
async fn an_address_over_http() {
    let server = http().await;
    let ask = |path: &str| found(Http::get(&server.url(path)).unwrap());
    assert_eq!(ask("/well").await.outcome, Some(Outcome::Success));
    let ill = ask("/ill").await;
    assert_eq!((ill.level, ill.message.as_deref()), (Level::Critical, Some("503 Service Unavailable")));
    assert_eq!(ask("/slow").await.message.as_deref(), Some("no answer within 2s"));
    let gone = found(Http::get(&format!("{}/well", nowhere())).unwrap()).await;
    assert_eq!(gone.outcome, Some(Outcome::Failure), "{gone:?}");

    for address in ["", "/well", "shop", "https://shop/", "http:///well"] {
        assert_eq!(Http::get(address).map(drop).unwrap_err().field(), "http.address", "{address}");
    }
}

#[tokio::test]
async fn a_connection_to_a_server() {
    let server = http().await;
    let address = server.url("").replace("http://", "");
    assert_eq!(found(Tcp::new(address).unwrap()).await.outcome, Some(Outcome::Success));
}

async fn grpc(health: &Health, registry: &Registry) -> Server {
    let grpc = GrpcHealth::new(health, registry).into_server();
    Server::start(|listener| async move {
        let server = tonic::transport::Server::builder().add_service(grpc);
        server.serve_with_incoming(incoming(listener)).await.unwrap();
    })
    .await
}

#[tokio::test]
async fn a_grpc_server_is_asked_as_it_wants_to_be() {
    let registry = Registry::new();
    let health = Health::new(&registry);
    let server = grpc(&health, &registry).await;
    let ask = |service: &str| found(GrpcCheck::new(channel(&server.url("")), service));
    assert_eq!(ask("").await.outcome, Some(Outcome::Success));
    health.set_ready(false);
    let status = ask("").await;
    assert_eq!((status.outcome, status.message.as_deref()), (Some(Outcome::Failure), Some("NOT_SERVING")));
    assert_eq!(ask("nobody.v1.Knows").await.outcome, Some(Outcome::Failure));
}

/// T11, over gRPC: the refusal of a breaker on the way is found in the status.
#[tokio::test]
async fn a_refusal_on_the_way_says_nothing() {
    let registry = Registry::new();
    let server = grpc(&Health::new(&registry), &registry).await;
    let breaker = Breaker::builder("way").registry(&registry).build().unwrap();
    breaker.isolate();
    let way = ServiceBuilder::new()
        .layer(BreakerLayer::new(breaker).protocol(Tonic::default()))
        .service(channel(&server.url("")));
    assert_eq!(found(GrpcCheck::new(way, "")).await.outcome, Some(Outcome::Refused));
}

/// The same check drives a probe.
#[tokio::test]
async fn a_probe_asks_a_grpc_server() {
    let registry = Registry::new();
    let health = Health::new(&Registry::new());
    let server = grpc(&health, &Registry::new()).await;
    let often = Duration::from_millis(5);
    let probe =
        Probe::builder("x").interval(often).interval_when_down(often).registry(&registry).build().unwrap();
    probe.spawn_check(GrpcCheck::new(channel(&server.url("")), ""));
    let until = |up: bool| {
        let probe = probe.clone();
        soon(async move {
            while probe.status().up != up || probe.status().probes < 3 {
                tokio::time::sleep(often).await;
            }
        })
    };
    until(true).await;
    health.set_ready(false);
    until(false).await;
    health.set_ready(true);
    until(true).await;
}

/// A server that never answers, asked again and again: each question that was given up takes its connection with it.
#[tokio::test]
async fn questions_that_are_given_up_leave_nothing_behind() {
    let server = http().await;
    let monitor = HealthMonitor::new(&Registry::new());
    let asked = Http::get(&server.url("/slow")).unwrap();
    monitor.check("x").timeout(Duration::from_millis(20)).on_demand().spawn(asked).unwrap();
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = alive();
    for _ in 0..20 {
        let status = soon(monitor.run_one("x")).await.unwrap();
        assert_eq!(status.outcome, Some(Outcome::Timeout));
    }
    // The connections of both sides have tasks, which end when they notice.
    let gone = async {
        while alive() > before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    soon(gone).await;
}
