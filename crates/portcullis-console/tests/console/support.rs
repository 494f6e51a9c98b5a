//! A console to ask, and clients that ask it.

use std::{fmt::Write, net::SocketAddr, time::Duration};

use portcullis::{Breaker, Bulkhead, Registry};
use portcullis_console::{Console, ConsoleBuilder, Server};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value as Json, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

pub(crate) const SECRET: &str = "0123456789abcdef-ops";
pub(crate) const OTHER: &str = "fedcba9876543210-ci";
/// No test waits longer for anything, and none expects it sooner.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A service with two policies, and its console.
pub(crate) struct Shop {
    pub(crate) registry: Registry,
    pub(crate) breaker: Breaker,
    pub(crate) bulkhead: Bulkhead,
    pub(crate) server: Server,
    pub(crate) client: Client,
}

impl Shop {
    /// With two tokens.
    pub(crate) async fn new() -> Self {
        Self::with(|console| console.token("ops", SECRET).token("ci", OTHER)).await
    }

    pub(crate) async fn open() -> Self {
        Self::with(|console| console).await
    }

    pub(crate) async fn with(told: impl FnOnce(ConsoleBuilder) -> ConsoleBuilder) -> Self {
        let registry = Registry::new();
        let breaker =
            Breaker::builder("inventory").consecutive_failures(2).registry(&registry).build().unwrap();
        let bulkhead = Bulkhead::builder("inventory").max_in_flight(2).registry(&registry).build().unwrap();
        let console = told(Console::builder(&registry).service("shop")).build().unwrap();
        let server = console.serve("127.0.0.1:0").await.unwrap();
        let client = Client::builder().timeout(PATIENCE).no_proxy().build().unwrap();
        Self { registry, breaker, bulkhead, server, client }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.url())
    }

    /// A request without a token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).bearer_auth(SECRET).send().await.unwrap()
    }

    pub(crate) async fn json(&self, path: &str) -> Json {
        self.get(path).await.error_for_status().unwrap().json().await.unwrap()
    }

    /// A change with everything that it needs.
    pub(crate) async fn post(&self, path: &str, body: Json) -> Response {
        self.request(Method::POST, path).bearer_auth(SECRET).json(&body).send().await.unwrap()
    }

    /// Something done to the breaker.
    pub(crate) async fn act(&self, action: &str, why: &str) -> Response {
        let body = json!({ "kind": "breaker", "why": why });
        self.post(&format!("api/policies/inventory/{action}"), body).await
    }

    /// The only policy of this kind.
    pub(crate) async fn policy(&self, kind: &str) -> Json {
        let found = self.json(&format!("api/policies/inventory?kind={kind}")).await;
        found["policies"][0].clone()
    }

    /// That it still answers; how long that took.
    pub(crate) async fn answers(&self) -> Duration {
        let start = tokio::time::Instant::now();
        let live = self.request(Method::GET, "livez").send().await.unwrap();
        assert_eq!(live.status(), StatusCode::OK);
        self.json("api/policies").await;
        start.elapsed()
    }
}

impl Shop {
    /// How long [`answers`](Self::answers) takes, of 21 times the one in the middle.
    pub(crate) async fn usually_answers(&self) -> Duration {
        let mut took = Vec::new();
        for _ in 0..21 {
            took.push(self.answers().await);
        }
        took.sort();
        took[10]
    }
}

/// Sends these bytes, and reads until the other side has nothing more to say.
pub(crate) async fn raw(address: SocketAddr, request: &[u8]) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    // It may be closed in the middle of what is sent.
    let _ = socket.write_all(request).await;
    read(&mut socket).await
}

/// Reads until the end.
pub(crate) async fn read(socket: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, socket.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "no end after {PATIENCE:?}: {}", String::from_utf8_lossy(&answer));
    String::from_utf8_lossy(&answer).into_owned()
}

/// The status of what was answered.
pub(crate) fn status(answer: &str) -> u16 {
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.unwrap_or_else(|| panic!("no answer: {answer:?}"))
}

/// That it is a problem document of this status.
pub(crate) async fn problem(response: Response, status: u16) -> Json {
    assert_eq!(response.status(), status, "{}", response.url());
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let problem: Json = response.json().await.unwrap();
    assert_eq!(problem["status"], status);
    problem
}

/// A part of a path, as a client writes it.
pub(crate) fn encoded(part: &str) -> String {
    let mut text = String::new();
    for byte in part.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        let _ = if plain { write!(text, "{}", byte as char) } else { write!(text, "%{byte:02X}") };
    }
    text
}
