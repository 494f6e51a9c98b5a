//! The example as it stands.

use std::{process::Stdio, time::Duration};

use axum_server::{Policies, protect, routes};
use http::Request;
use portcullis::{Registry, Timeout};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};
use upstream::soon;

use crate::server::{send, serve};

#[tokio::test]
async fn the_routes_of_the_example_do_what_they_say() {
    let mut policies = Policies::new("shop", &Registry::new()).unwrap();
    policies.attempt = Timeout::attempt("shop", Duration::from_millis(50)).unwrap();
    let address = serve(protect(routes(), &policies)).await;
    for (path, status) in [("/broken", 500), ("/slow", 504)] {
        assert_eq!(send(address, Request::post("/"), path, "").await.status, status);
    }
    let stock = send(address, Request::get("/"), "/stock/tea", "").await;
    assert_eq!(&*stock.body, b"tea: 12 in stock\n");
}

#[tokio::test]
async fn the_program_listens_where_it_is_told() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_axum-server"))
        .arg("127.0.0.1:0")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let first = soon(lines.next_line()).await.unwrap().expect("it says where it listens");
    let address = first.trim_start_matches("listening on http://").parse().unwrap();
    assert_eq!(send(address, Request::get("/"), "/livez", "").await.status, 200);
    let told = send(address, Request::get("/"), "/health", "").await;
    let document: serde_json::Value = serde_json::from_slice(&told.body).unwrap();
    assert_eq!(document["checks"]["database"]["critical"], true, "{document}");
    assert_eq!(document["checks"]["runtime"]["critical"], false, "{document}");

    let scraped = send(address, Request::get("/"), "/metrics", "").await;
    assert_eq!(scraped.headers["content-type"], portcullis::metrics::CONTENT_TYPE);
    let text = String::from_utf8(scraped.body.to_vec()).unwrap();
    for shown in [r#"portcullis_breaker_state{policy="shop"} 0"#, "\nportcullis_health_overall "] {
        assert!(text.contains(shown), "{text}");
    }

    // Told to end it is not ready, and serves still; told so again it ends.
    let id = program.id().unwrap().to_string();
    let terminate = async || {
        let killed = Command::new("kill").args(["-TERM", &id]).status();
        assert!(soon(killed).await.unwrap().success());
    };
    terminate().await;
    while send(address, Request::get("/"), "/readyz", "").await.status != 503 {}
    assert_eq!(send(address, Request::get("/"), "/stock/tea", "").await.status, 200);
    terminate().await;
    let mut said = String::new();
    while let Some(line) = soon(lines.next_line()).await.unwrap() {
        said = line;
    }
    assert!(said.starts_with("drained in ") && said.ends_with("0 refused"), "{said}");
    assert!(soon(program.wait()).await.unwrap().success());
}
