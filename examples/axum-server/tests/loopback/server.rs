//! A server with handlers that the test controls, and a client for it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::{Router, body::Body, http::StatusCode, middleware::map_request, routing::any};
use axum_server::{Policies, protect};
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{client::legacy, rt::TokioExecutor};
use portcullis::{Registry, Timeout};
use serde_json::Value;
use tokio::{net::TcpListener, sync::Semaphore};
use tower::ServiceExt as _;
use upstream::{soon, until};

/// More than enough, also on a machine that is busy with other things.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// A server with handlers that the test controls.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) registry: Registry,
    pub(crate) policies: Policies,
    /// Requests that have reached a handler.
    pub(crate) calls: Arc<AtomicU32>,
    /// Lets requests to `/held` go on.
    pub(crate) gate: Arc<Semaphore>,
}

/// With the policies as they are, but for what `change` does to them, and for time limits that only a
/// test that is about them should meet.
pub(crate) async fn server(change: impl FnOnce(&mut Policies, &Registry)) -> Server {
    let registry = Registry::new();
    let mut policies = Policies::new("shop", &registry).unwrap();
    policies.attempt = Timeout::attempt("shop", LONG).unwrap();
    policies.total = Timeout::total("shop", 2 * LONG).unwrap();
    change(&mut policies, &registry);
    let (calls, gate) = (Arc::new(AtomicU32::new(0)), Arc::new(Semaphore::new(0)));
    let app = protect(handlers(&calls, &gate), &policies);
    let address = serve(app).await;
    Server { address, registry, policies, calls, gate }
}

pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// `/echo` answers with the body, `/flaky` does when it is the third call, `/broken` never, `/held` waits
/// at the gate.
fn handlers(calls: &Arc<AtomicU32>, gate: &Arc<Semaphore>) -> Router {
    let (calls, gate) = (calls.clone(), gate.clone());
    let counted = calls.clone();
    let flaky = async move |body: String| {
        if counted.load(SeqCst) < 3 { Err(StatusCode::BAD_GATEWAY) } else { Ok(body) }
    };
    let held = async move || gate.acquire().await.unwrap().forget();
    let count = map_request(move |request: Request<Body>| {
        calls.fetch_add(1, SeqCst);
        async { request }
    });
    Router::new()
        .route("/echo", any(async |body: String| body))
        .route("/broken", any(async || StatusCode::INTERNAL_SERVER_ERROR))
        .route("/flaky", any(flaky))
        .route("/held", any(held))
        .layer(count)
}

/// An answer that was read to its end.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The problem document of a refusal: the kind of policy, and the reason.
    pub(crate) fn problem(&self) -> (String, String) {
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let document = self.json();
        assert_eq!(document["status"], self.status);
        assert!(document["title"].is_string() && document["detail"].is_string(), "{document}");
        let word = |name: &str| document[name].as_str().unwrap().to_owned();
        (word("kind"), word("reason"))
    }
}

/// One request on a connection of its own.
pub(crate) async fn send(
    address: SocketAddr,
    request: http::request::Builder,
    path: &str,
    body: &'static str,
) -> Answer {
    let uri = format!("http://{address}{path}");
    let request = request.uri(uri).header("connection", "close").body(Full::new(Bytes::from(body))).unwrap();
    let client = legacy::Client::builder(TokioExecutor::new()).build_http();
    let (head, body) = soon(client.oneshot(request)).await.unwrap().into_parts();
    let body = soon(body.collect()).await.unwrap().to_bytes();
    Answer { status: head.status.as_u16(), headers: head.headers, body }
}

impl Server {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.address, Request::get("/"), path, "").await
    }

    pub(crate) async fn post(&self, path: &str) -> Answer {
        send(self.address, Request::post("/"), path, "").await
    }

    pub(crate) async fn grpc(&self, path: &str) -> Answer {
        let request = Request::post("/").header("content-type", "application/grpc+proto");
        send(self.address, request, path, "").await
    }

    /// A request that stays in its handler.
    pub(crate) async fn hold(&self) -> tokio::task::JoinHandle<Answer> {
        let (address, before) = (self.address, self.calls.load(SeqCst));
        let held = tokio::spawn(async move { send(address, Request::post("/"), "/held", "").await });
        until(|| self.calls.load(SeqCst) > before).await;
        held
    }
}
