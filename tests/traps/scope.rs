//! Which requests a retry is for.

use std::sync::{Arc, Mutex};

use axum::{Router, extract::State, http::Uri, response::IntoResponse};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use portcullis::{RetryLayer, RetryPolicy, retry::Backoff};
use portcullis_reqwest::{ReqwestReplay, ReqwestService};
use portcullis_tests::net::{Server, client, soon};
use tower::{ServiceBuilder, ServiceExt, service_fn};

/// One attempt after another, without waits.
fn policy() -> RetryPolicy {
    RetryPolicy::builder("t37").backoff(Backoff::NONE).build().unwrap()
}

/// A retry that was set up for one host, and sends again what goes to another.
#[tokio::test(start_paused = true)]
async fn t37_a_host_that_is_out_of_scope_is_not_retried() {
    let hosts = Arc::new(Mutex::new(Vec::new()));
    let seen = hosts.clone();
    let service = ServiceBuilder::new()
        .layer(
            RetryLayer::new(policy())
                .http_client()
                .only_if(|request: &Request<Full<Bytes>>| request.uri().host() == Some("catalog.internal")),
        )
        .service(service_fn(move |request: Request<_>| {
            seen.lock().unwrap().push(request.uri().host().unwrap().to_owned());
            async { Ok::<_, portcullis::BoxError>(StatusCode::SERVICE_UNAVAILABLE.into_response()) }
        }));
    let attempts = async |url: &str| {
        let answer = service.clone().oneshot(Request::get(url).body(Full::default()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        std::mem::take(&mut *hosts.lock().unwrap()).len()
    };

    assert_eq!(attempts("http://catalog.internal/").await, 3);
    assert_eq!(attempts("http://catalog.internal.example/").await, 1);
    assert_eq!(attempts("http://payments.internal/").await, 1);
}

/// The same over sockets, for paths: what is out of scope still works.
#[tokio::test]
async fn t37_a_path_that_is_out_of_scope_is_sent_once_and_answered() {
    let paths = Arc::new(Mutex::new(Vec::new()));
    let busy = |State(paths): State<Arc<Mutex<Vec<String>>>>, uri: Uri| async move {
        paths.lock().unwrap().push(uri.path().to_owned());
        (StatusCode::SERVICE_UNAVAILABLE, "busy")
    };
    let server = Server::axum(Router::new().fallback(busy).with_state(paths.clone())).await;
    let in_scope = |request: &Request<reqwest::Body>| request.uri().path().starts_with("/catalog/");
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(policy()).http_client().replay(ReqwestReplay::default()).only_if(in_scope))
        .service(ReqwestService::new(client()));

    for path in ["/catalog/17", "/pay"] {
        let request = Request::put(server.url(path)).body(reqwest::Body::from("order")).unwrap();
        assert_eq!(soon(service.clone().oneshot(request)).await.unwrap().status(), 503);
    }

    assert_eq!(*paths.lock().unwrap(), ["/catalog/17", "/catalog/17", "/catalog/17", "/pay"]);
}
