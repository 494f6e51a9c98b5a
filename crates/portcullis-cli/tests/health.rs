//! The program itself, against real servers.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{net::Ipv4Addr, process::Output, time::Duration};

use portcullis::{Breaker, Health, HealthLayer, Probe, Registry};
use portcullis_tonic::health::GrpcHealth;
use serde_json::Value;
use tokio::{net::TcpListener, process::Command};
use tokio_stream::wrappers::TcpListenerStream;

async fn run(arguments: &[&str]) -> Output {
    let program = Command::new(env!("CARGO_BIN_EXE_portcullis")).args(arguments).output();
    tokio::time::timeout(Duration::from_secs(60), program).await.unwrap().unwrap()
}

/// How `portcullis health` ended, and what it said.
async fn health(arguments: &[&str]) -> (i32, String) {
    let output = run(&[&["health"], arguments].concat()).await;
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// A server that tells this health.
async fn http(health: &Health) -> String {
    let (listener, address) = listener().await;
    let router = axum::Router::new().layer(HealthLayer::new(health.clone()));
    let router =
        router.route("/", axum::routing::get(async || "shop")).layer(HealthLayer::new(health.clone()));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[tokio::test]
async fn a_healthy_service_ends_it_well_and_a_degraded_one_does_not() {
    let registry = Registry::new();
    let breaker = Breaker::builder("inventory").registry(&registry).build().unwrap();
    let url = http(&Health::new(&registry)).await;
    assert_eq!(health(&[&url]).await, (0, format!("healthy  {url}/health\n")));

    breaker.isolate();
    let said = format!("degraded  {url}/health\n  isolated  inventory, a breaker\n");
    assert_eq!(health(&[&url]).await, (1, said));

    let (code, json) = health(&["--json", &format!("{url}/health")]).await;
    let document: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &document["overall_status"]), (1, &"degraded".into()));
    assert_eq!(document["policies"]["inventory"]["state"], "isolated");
}

#[tokio::test]
async fn a_critical_service_is_told_with_its_checks() {
    let registry = Registry::new();
    let probe = Probe::builder("database").down_after(1).registry(&registry);
    let probe = probe.build().unwrap();
    probe.spawn(|| async { Err::<(), _>(std::io::Error::other("no such table")) });
    let url = http(&Health::new(&registry)).await;
    while probe.status().up {
        tokio::task::yield_now().await;
    }
    let (code, said) = health(&[&url]).await;
    assert_eq!(code, 1);
    assert!(said.contains("database") && said.contains("no such table"), "{said}");
}

#[tokio::test]
async fn of_a_path_that_is_no_document_the_status_decides() {
    let registry = Registry::new();
    let told = Health::new(&registry);
    let url = http(&told).await;
    assert_eq!(health(&[&format!("{url}/readyz")]).await.0, 0);
    assert_eq!(health(&[&format!("{url}/")]).await.0, 0);
    assert_eq!(health(&[&format!("{url}/nothing")]).await.0, 1);
    told.set_ready(false);
    assert_eq!(health(&[&format!("{url}/readyz")]).await.0, 1);
}

#[tokio::test]
async fn grpc_is_asked_by_service() {
    let registry = Registry::new();
    let told = Health::new(&registry);
    let grpc = GrpcHealth::new(&told, &registry).service_named("echo.v1.Echo");
    let (listener, address) = listener().await;
    let server = tonic::transport::Server::builder().add_service(grpc.into_server());
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));

    let url = format!("grpc://{address}");
    assert_eq!(health(&[&url]).await, (0, format!("healthy  {url}/\n")));
    assert_eq!(health(&[&format!("{url}/echo.v1.Echo")]).await.0, 0);
    let (code, said) = health(&[&format!("{url}/other.v1.Other")]).await;
    assert_eq!(code, 1);
    assert!(said.contains("it knows no service \"other.v1.Other\""), "{said}");

    told.set_ready(false);
    let (code, json) = health(&["--json", &url]).await;
    let document: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &document["serving_status"]), (1, &"NOT_SERVING".into()));
}

#[tokio::test]
async fn no_answer_is_told_and_why() {
    // Nobody listens there any more.
    let (gone, address) = listener().await;
    drop(gone);
    for scheme in ["http", "grpc"] {
        let (code, said) = health(&[&format!("{scheme}://{address}")]).await;
        assert_eq!(code, 1);
        assert!(
            said.starts_with("no answer  ") && said.to_lowercase().contains("connection refused"),
            "{said}"
        );
    }
    let (_silent, address) = listener().await;
    for scheme in ["http", "grpc"] {
        let (code, said) = health(&["--timeout", "50ms", &format!("{scheme}://{address}")]).await;
        assert_eq!(code, 1);
        assert!(said.contains("no answer within 50ms"), "{said}");
    }
    let (code, json) = health(&["--timeout", "50ms", "--json", &format!("http://{address}")]).await;
    let document: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &document["overall_status"]), (1, &Value::Null));
}

#[tokio::test]
async fn who_asks_wrongly_is_told_how() {
    for wrong in [
        &["health"][..],
        &["health", "shop"],
        &["health", "https://shop"],
        &["health", "--timeout", "0s", "http://shop"],
        &["wealth"],
        &[],
    ] {
        let output = run(wrong).await;
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(!output.stderr.is_empty(), "{wrong:?}");
    }
    assert_eq!(run(&["--help"]).await.status.code(), Some(0));
}
