//! Below a prefix of another service.

use std::net::SocketAddr;

use axum::{Router, routing::get};
use portcullis::{Breaker, Registry};
use portcullis_console::Console;
use reqwest::{Client, redirect::Policy};
use serde_json::Value as Json;
use tokio::net::TcpListener;

use crate::support::problem;

/// Serves an app with the console below it; where it is.
async fn serve(app: Router, with_peers: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        if with_peers {
            axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await
        } else {
            axum::serve(listener, app).await
        }
    });
    format!("http://{address}")
}

fn app(nest: fn(Router, Router) -> Router) -> (Registry, Breaker, Router) {
    let registry = Registry::new();
    let breaker = Breaker::builder("inventory").registry(&registry).build().unwrap();
    let app = Router::new().route("/", get(|| async { "shop" }));
    (registry.clone(), breaker, nest(app, Console::new(&registry).router()))
}

#[tokio::test]
async fn below_any_prefix() {
    let nests: [fn(Router, Router) -> Router; 2] = [
        |app, console| app.nest("/a/portcullis", console),
        |app, console| app.nest_service("/a/portcullis", console),
    ];
    for nest in nests {
        let (_registry, _breaker, app) = app(nest);
        let url = serve(app, true).await;
        let page = reqwest::get(format!("{url}/a/portcullis")).await.unwrap();
        assert_eq!((page.status().as_u16(), page.url().path()), (200, "/a/portcullis/index.html"));
        let api = reqwest::get(page.url().join("api/policies").unwrap()).await.unwrap();
        let whole: Json = api.json().await.unwrap();
        assert_eq!(whole["policies"][0]["id"], "breaker/inventory");
        assert_eq!(reqwest::get(&url).await.unwrap().text().await.unwrap(), "shop");
        problem(reqwest::get(format!("{url}/a/portcullis/nothing")).await.unwrap(), 404).await;
    }
}

#[tokio::test]
async fn a_service_knows_the_prefix_with_its_slash() {
    let (_registry, _breaker, app) = app(|app, console| app.nest_service("/portcullis", console));
    let url = serve(app, true).await;
    let page = reqwest::get(format!("{url}/portcullis/")).await.unwrap();
    assert_eq!((page.status().as_u16(), page.url().path()), (200, "/portcullis/"));
}

/// Nothing that was asked for leads to another host.
#[tokio::test]
async fn the_way_to_the_page_stays_here() {
    let (_registry, _breaker, app) = app(|app, console| app.nest_service("/{tenant}/console", console));
    let url = serve(app, true).await;
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let answer = client.get(format!("{url}//evil.example/console")).send().await.unwrap();
    let place = answer.headers().get("location").map(|place| place.to_str().unwrap().to_owned());
    assert!(place.is_none_or(|place| place.starts_with("./")));
    let answer = client.get(format!("{url}/evil.example/console")).send().await.unwrap();
    assert_eq!(answer.headers()["location"], "./console/index.html");
}

#[tokio::test]
async fn who_asks_must_be_known_and_the_refusal_says_how() {
    let (_registry, _breaker, app) = app(|app, console| app.nest("/portcullis", console));
    let url = serve(app, false).await;
    let told = problem(reqwest::get(format!("{url}/portcullis/api/policies")).await.unwrap(), 403).await;
    assert!(told["detail"].as_str().unwrap().contains("into_make_service_with_connect_info"));
}
