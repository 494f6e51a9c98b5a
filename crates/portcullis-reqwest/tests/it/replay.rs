//! Portcullis's own retry over reqwest: what is sent again, and as what.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{any, put},
};
use http::Method;
use portcullis::{
    BoxError, Boxed, Failure, FailureKind, Registry, RetryLayer, RetryPolicy, Verdict,
    protocol::Tried,
    retry::{Backoff, Idempotent, Replay},
};
use portcullis_reqwest::{ReqwestReplay, ReqwestService, TowerMiddleware, TryCloneReplay};
use reqwest::Body;
use tower::{Service, ServiceBuilder, ServiceExt};

use crate::support::{Server, chain, client, nowhere, soon};

type Bodies = Arc<Mutex<Vec<String>>>;

/// Fails twice, then sends on with 307 to where the order is taken.
async fn shop() -> (Server, Bodies) {
    let bodies = Bodies::default();
    let seen = bodies.clone();
    let old = async move |body: String| -> Response {
        let mut seen = seen.lock().expect("not poisoned");
        seen.push(body);
        if seen.len() < 3 {
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        } else {
            Redirect::temporary("/new").into_response()
        }
    };
    let new = put(async |body: String| format!("got {body}"));
    (Server::start(Router::new().route("/old", any(old)).route("/new", new)).await, bodies)
}

fn seen(bodies: &Bodies) -> Vec<String> {
    bodies.lock().expect("not poisoned").clone()
}

fn policy() -> RetryPolicy {
    let backoff = Backoff { base: Duration::from_millis(1), ..Backoff::default() };
    RetryPolicy::builder("orders").backoff(backoff).registry(&Registry::new()).build().expect("in range")
}

fn order(method: Method, url: String, body: impl Into<Body>) -> http::Request<Body> {
    http::Request::builder().method(method).uri(url).body(body.into()).expect("a request")
}

fn stream(text: &'static str) -> Body {
    Body::wrap(Body::from(text))
}

/// One call through a retry around `ReqwestService`.
async fn send(request: http::Request<Body>, replay: ReqwestReplay) -> Result<reqwest::Response, BoxError> {
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(policy()).http_client().replay(replay))
        .service(ReqwestService::new(client()));
    Ok(soon(service.oneshot(request)).await?.into())
}

// T45
#[tokio::test]
async fn a_body_in_memory_is_sent_again_and_still_follows_a_redirect() {
    let (server, bodies) = shop().await;
    let request = order(Method::PUT, server.url("/old"), "seven");
    let response = send(request, ReqwestReplay::default()).await.expect("the third attempt");

    assert_eq!(response.url().as_str(), server.url("/new"));
    assert_eq!(response.text().await.expect("a body"), "got seven");
    assert_eq!(seen(&bodies), ["seven"; 3]);
}

// T45
#[tokio::test]
async fn so_it_is_in_a_chain() {
    let (server, bodies) = shop().await;
    let retry = RetryLayer::new(policy()).http_client().replay(ReqwestReplay::default());
    let client = chain().with(TowerMiddleware::new(retry)).build();
    let response = soon(client.put(server.url("/old")).body("seven").send()).await.expect("an answer");

    assert_eq!(response.url().as_str(), server.url("/new"));
    assert_eq!(response.text().await.expect("a body"), "got seven");
    assert_eq!(seen(&bodies), ["seven"; 3]);
}

#[tokio::test]
async fn an_empty_body_is_sent_again() {
    let (server, bodies) = shop().await;
    let request = order(Method::PUT, server.url("/old"), Body::default());
    let response = send(request, ReqwestReplay::default()).await.expect("the third attempt");
    assert_eq!(response.text().await.expect("a body"), "got ");
    assert_eq!(seen(&bodies), [""; 3]);
}

#[tokio::test]
async fn a_stream_is_sent_again_from_what_was_kept() {
    let (server, bodies) = shop().await;
    let request = order(Method::PUT, server.url("/old"), stream("seven"));
    let response = send(request, ReqwestReplay::default()).await.expect("the third attempt");
    // That a stream is not sent along with a redirect is reqwest's rule.
    assert_eq!(response.status(), 307);
    assert_eq!(seen(&bodies), ["seven"; 3]);
}

#[tokio::test]
async fn a_stream_over_the_cap_is_sent_once() {
    let (server, bodies) = shop().await;
    let request = order(Method::PUT, server.url("/old"), stream("seven"));
    let response = send(request, ReqwestReplay::default().max_buffered(4)).await.expect("an answer");
    assert_eq!(response.status(), 503);
    assert_eq!(seen(&bodies), ["seven"]);
}

#[tokio::test]
async fn what_is_not_idempotent_is_sent_once_unless_it_says_that_it_is() {
    let (server, bodies) = shop().await;
    let request = order(Method::POST, server.url("/old"), "seven");
    assert_eq!(send(request, ReqwestReplay::default()).await.expect("an answer").status(), 503);
    assert_eq!(seen(&bodies).len(), 1);

    let mut request = order(Method::POST, server.url("/old"), "seven");
    request.extensions_mut().insert(Idempotent);
    let response = send(request, ReqwestReplay::default()).await.expect("an answer");
    // Two more: the second fails, the third is sent on, to where no POST is taken.
    assert_eq!((response.status().as_u16(), seen(&bodies).len()), (405, 3));
}

#[tokio::test]
async fn what_was_never_sent_is_sent_again_whatever_it_is() {
    let policy = policy();
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(policy.clone()).http_client().replay(ReqwestReplay::default()))
        .service(ReqwestService::new(client()));
    let request = order(Method::POST, nowhere(), "seven");
    let error = soon(service.oneshot(request)).await.expect_err("nobody listens");

    assert!(error.downcast::<reqwest::Error>().expect("unchanged").is_connect());
    assert_eq!(policy.status().retries, 2);
}

/// The client itself under a retry, with server errors judged as failures.
fn plain(
    policy: RetryPolicy,
) -> impl Service<reqwest::Request, Response = reqwest::Response, Error = BoxError> {
    let server_errors = |result: Result<&reqwest::Response, &BoxError>| {
        let failed = result.is_ok_and(|response| response.status().is_server_error());
        failed.then(|| Verdict::from(Failure::new(FailureKind::Unavailable)))
    };
    ServiceBuilder::new()
        .layer(
            RetryLayer::new(policy).protocol(Boxed::default().classify(server_errors)).replay(TryCloneReplay),
        )
        .service(client())
}

// T45
#[tokio::test]
async fn a_plain_client_sends_its_requests_again_and_follows_a_redirect() {
    let (server, bodies) = shop().await;
    let request = client().put(server.url("/old")).body("seven").build().expect("a request");
    let response = soon(plain(policy()).oneshot(request)).await.expect("the third attempt");

    assert_eq!(response.url().as_str(), server.url("/new"));
    assert_eq!(response.text().await.expect("a body"), "got seven");
    assert_eq!(seen(&bodies), ["seven"; 3]);
}

#[tokio::test]
async fn a_plain_client_sends_streams_and_posts_once() {
    let (server, bodies) = shop().await;
    for request in [
        client().put(server.url("/old")).body(stream("stream")),
        client().post(server.url("/old")).body("post"),
    ] {
        let request = request.build().expect("a request");
        assert_eq!(soon(plain(policy()).oneshot(request)).await.expect("an answer").status(), 503);
    }
    assert_eq!(seen(&bodies), ["stream", "post"]);
}

#[tokio::test]
async fn a_plain_client_sends_a_post_with_a_key_again() {
    let (server, bodies) = shop().await;
    let request = client().post(server.url("/old")).header("idempotency-key", "7").body("post");
    let request = request.build().expect("a request");
    let response = soon(plain(policy()).oneshot(request)).await.expect("an answer");
    assert_eq!((response.status().as_u16(), seen(&bodies).len()), (405, 3));
}

/// R12: what the first attempt writes down, a further one knows, whatever its body; and only where it is asked for.
#[test]
fn all_attempts_of_a_call_know_where_the_others_went() {
    let bodies = [|| Body::from("two"), || stream("two")];
    for body in bodies {
        let replay = ReqwestReplay::default().avoid_tried();
        let (first, kept) = replay.first(order(Method::PUT, "http://127.0.0.1/".to_owned(), body()));
        first.extensions().get::<Tried>().expect("it is there").add("a");
        let again = replay.again(&kept).expect("nothing was read of it");
        assert!(again.extensions().get::<Tried>().expect("it is there").contains("a"));

        let (first, _) =
            ReqwestReplay::default().first(order(Method::PUT, "http://127.0.0.1/".to_owned(), body()));
        assert!(first.extensions().get::<Tried>().is_none(), "nobody asked for it");
    }
}
