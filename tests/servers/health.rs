//! Health, asked by clients that are not ours.

use std::time::Duration;

use axum::Router;
use echo_proto::{echo_server::EchoServer, service::EchoService};
use portcullis::{Breaker, Drain, DrainLayer, Health, HealthLayer, Level, Registry};
use portcullis_tests::{
    grpc::incoming,
    net::{Server, soon},
    python::Asking,
};
use portcullis_tonic::health::GrpcHealth;
use tokio::{process::Command, sync::oneshot};

/// A gRPC server with its health, behind a drain.
struct Peer {
    server: Server,
    registry: Registry,
    health: Health,
    drain: Drain,
    breaker: Breaker,
    ended: oneshot::Receiver<()>,
}

async fn peer() -> Peer {
    let registry = Registry::new();
    let health = Health::new(&registry);
    let drain = Drain::builder("echo").announce(Duration::ZERO).health(&health).registry(&registry);
    let drain = drain.build().unwrap();
    let breaker = Breaker::builder("inventory").registry(&registry).build().unwrap();
    let grpc = GrpcHealth::new(&health, &registry)
        .service::<EchoServer<EchoService>>()
        .service_of("shop.v1.Orders", ["inventory"], Level::Degraded)
        .drain(&drain);
    let (end, ended) = oneshot::channel();
    let (layer, signal) = (DrainLayer::new(drain.clone()).grpc(), drain.signal());
    let server = Server::start(|listener| async move {
        let server = tonic::transport::Server::builder()
            .layer(layer)
            .add_service(grpc.into_server())
            .add_service(EchoServer::new(EchoService::default()));
        server.serve_with_incoming_shutdown(incoming(listener), signal).await.unwrap();
        end.send(()).unwrap();
    })
    .await;
    Peer { server, registry, health, drain, breaker, ended }
}

impl Peer {
    fn ask(&self, method: &str, service: &str) -> Asking {
        let address = self.server.url("").replace("http://", "");
        Asking::start("grpcio_health.py", &[method, &address, service])
    }

    async fn check(&self, service: &str) -> String {
        self.ask("check", service).said().await.unwrap()
    }
}

#[tokio::test]
async fn a_python_client_checks_the_whole_and_each_service() {
    let peer = peer().await;
    assert_eq!(peer.check("").await, "SERVING");
    assert_eq!(peer.check("echo.v1.Echo").await, "SERVING");
    assert_eq!(peer.check("other.v1.Other").await, "NOT_FOUND");

    peer.breaker.isolate();
    assert_eq!(peer.check("shop.v1.Orders").await, "NOT_SERVING");
    assert_eq!(peer.check("echo.v1.Echo").await, "SERVING");

    peer.health.set_ready(false);
    assert_eq!(peer.check("").await, "NOT_SERVING");
}

#[tokio::test]
async fn a_python_client_watches_what_changes() {
    let peer = peer().await;
    let mut orders = peer.ask("watch", "shop.v1.Orders");
    assert_eq!(orders.said().await.unwrap(), "SERVING");
    peer.breaker.isolate();
    assert_eq!(orders.said().await.unwrap(), "NOT_SERVING");
    peer.breaker.release();
    assert_eq!(orders.said().await.unwrap(), "SERVING");

    peer.health.set_ready(false);
    assert_eq!(orders.said().await.unwrap(), "NOT_SERVING");
    peer.health.set_ready(true);
    assert_eq!(orders.said().await.unwrap(), "SERVING");
}

/// A watch would be in flight for ever, and the server would never end.
#[tokio::test]
async fn who_watches_is_told_of_the_end_and_does_not_hold_it_up() {
    let mut peer = peer().await;
    let mut whole = peer.ask("watch", "");
    let mut unknown = peer.ask("watch", "other.v1.Other");
    assert_eq!(whole.said().await.unwrap(), "SERVING");
    assert_eq!(unknown.said().await.unwrap(), "SERVICE_UNKNOWN");
    assert_eq!(peer.drain.status().in_flight, 2);

    peer.drain.begin();

    assert_eq!(whole.said().await.unwrap(), "NOT_SERVING");
    assert_eq!(whole.said().await.unwrap(), "UNAVAILABLE");
    assert_eq!(unknown.said().await.unwrap(), "UNAVAILABLE");
    let report = soon(peer.drain.ended()).await;
    assert!(report.is_clean(), "{report}");
    soon(&mut peer.ended).await.unwrap();
}

/// A listener that stays behind would be told for ever.
#[tokio::test]
async fn who_has_gone_is_not_told_any_more() {
    let peer = peer().await;
    let mut watch = peer.ask("watch", "");
    watch.said().await.unwrap();
    assert_eq!(peer.drain.status().in_flight, 1);
    drop(watch);
    let gone = async {
        while peer.drain.status().in_flight > 0 {
            tokio::task::yield_now().await;
        }
    };
    soon(gone).await;
    assert_eq!(peer.registry.events().lost(), []);
}

/// The status, the body, and what curl itself ended with.
async fn curl(arguments: &[&str]) -> (String, Option<i32>) {
    let asked = Command::new("curl").args(["--silent", "--max-time", "30"]).args(arguments).output();
    let output = soon(asked).await.expect("curl is there: `cargo xtask setup` installs it");
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

#[tokio::test]
async fn curl_asks_as_container_health_checks_do() {
    let registry = Registry::new();
    let health = Health::new(&registry);
    let breaker = Breaker::builder("inventory").registry(&registry).build().unwrap();
    let drain = Drain::builder("shop").announce(Duration::ZERO).health(&health).registry(&registry);
    let drain = drain.build().unwrap();
    let router = Router::new()
        .route("/stock", axum::routing::get(async || "12"))
        .layer(DrainLayer::new(drain.clone()).http_server())
        .layer(HealthLayer::new(health));
    let server = Server::axum(router).await;
    let code = ["--write-out", " %{http_code}", "--fail-with-body"];
    let asked = async |path: &str| curl(&[&code[..], &[&server.url(path)]].concat()).await;

    assert_eq!(asked("/livez").await, ("live 200".into(), Some(0)));
    assert_eq!(asked("/readyz").await, ("ready 200".into(), Some(0)));
    breaker.isolate();
    let (document, exit) = asked("/health").await;
    assert!(document.contains(r#""overall_status":"degraded""#), "{document}");
    assert_eq!(exit, Some(0));

    drain.begin();
    drain.signal().await;
    assert_eq!(asked("/readyz").await, ("not ready 503".into(), Some(22)));
    assert_eq!(asked("/livez").await, ("live 200".into(), Some(0)));
    let (refused, exit) = curl(&["--include", "--fail-with-body", &server.url("/stock")]).await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(refused.to_lowercase().contains("\r\nconnection: close\r\n"), "{refused}");
    assert_eq!(exit, Some(22));
    // The next request is one on a new connection: this one was closed.
    let url = server.url("/stock");
    let (_, connects) = curl(&["--output", "-", "--write-out", "%{num_connects}", &url, &url]).await;
    assert_eq!(connects, Some(0));
}
