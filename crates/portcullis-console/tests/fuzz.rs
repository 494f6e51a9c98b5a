//! Requests that nobody would write, to handlers: what is asked is answered, nothing panics, and no answer says that the
//! console itself is at fault.
//!
//! Run as a test, requests are drawn by chance for two seconds. For longer, say five minutes:
//!
//! ```text
//! BOLERO_RANDOM_TEST_TIME_MS=300000 cargo test --release -p portcullis-console --all-features --test fuzz
//! ```
//!
//! and guided by what of the code is reached, with libFuzzer, which keeps what it finds in `tests/__fuzz__` for later runs:
//!
//! ```text
//! cargo install cargo-bolero && cargo bolero test whatever_is_asked_is_answered -p portcullis-console --all-features --sanitizer NONE
//! ```
//!
//! What comes before the handlers, which is bytes that are no requests, is in `console/malformed.rs`, over sockets.
#![expect(clippy::unwrap_used, reason = "a console that cannot be built fails the test")]

use std::{fmt::Write as _, panic::AssertUnwindSafe, time::Duration};

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Method, Request},
};
use portcullis::{Breaker, Bulkhead, Pipeline, Registry};
use portcullis_config::{Format, Live, Settings};
use portcullis_console::Console;
use tower::ServiceExt;

/// How long requests are drawn where nobody says for how long.
const LONG: Duration = Duration::from_secs(2);
const SECRET: &str = "c2VjcmV0LW9mLW9wcw";

const METHODS: [Method; 6] =
    [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::HEAD, Method::PATCH];

/// Parts of paths that lead somewhere.
const PARTS: [&str; 18] = [
    "api",
    "policies",
    "inventory",
    "other",
    "mode",
    "isolate",
    "trip",
    "reset",
    "release",
    "stop",
    "config",
    "events",
    "pipelines",
    "explain",
    "health",
    "readyz",
    "index.html",
    "..",
];

const QUERIES: [&str; 6] = ["history=1", "q=inv", "kind=breaker", "kind=x", "format=text", "q=%ff%00"];

const HEADERS: [&str; 8] = [
    "host",
    "origin",
    "last-event-id",
    "content-length",
    "sec-fetch-site",
    "if-none-match",
    "x-forwarded-for",
    "authorization",
];

/// What stands in bodies and means something, or is just not what was meant.
const WORDS: [&str; 24] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"kind\"",
    "\"why\"",
    "\"mode\"",
    "\"for_ms\"",
    "\"settings\"",
    "\"version\"",
    "\"breaker\"",
    "\"inventory\"",
    "\"shadow\"",
    "\"enforce_percent\"",
    "\"permits\"",
    "0",
    "-1",
    "101",
    "1e400",
    "18446744073709551616",
    "null",
    "\"\\ud800\"",
];

/// Bodies that are well, of which the others are made.
const BODIES: [&str; 5] = [
    "{}",
    r#"{"kind":"breaker","why":"a look","for_ms":60000}"#,
    r#"{"kind":"bulkhead","mode":{"enforce_percent":50}}"#,
    r#"{"settings":{"breaker":{"inventory":{"permits":3}}},"version":"1"}"#,
    r#"{"why":"the vault is open"}"#,
];

/// What a fuzzer says, taken as choices.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    /// A number below `end`; 0 when there are no more choices.
    fn below(&mut self, end: usize) -> usize {
        let (number, rest) = match *self.0 {
            [first, ref rest @ ..] => (usize::from(first), rest),
            [] => (0, &[][..]),
        };
        self.0 = rest;
        number % end.max(1)
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    /// A few bytes as they come.
    fn bytes(&mut self) -> &[u8] {
        let count = self.below(24).min(self.0.len());
        let (bytes, rest) = self.0.split_at(count);
        self.0 = rest;
        bytes
    }

    fn path(&mut self) -> String {
        let mut path = String::new();
        for _ in 0..=self.below(5) {
            path.push('/');
            if self.below(4) > 0 {
                path.push_str(self.one_of(&PARTS));
            } else {
                self.bytes().iter().for_each(|byte| write!(path, "%{byte:02X}").unwrap());
            }
        }
        for joint in ['?', '&'] {
            if self.below(3) == 0 {
                path.push(joint);
                path.push_str(self.one_of(&QUERIES));
            }
        }
        path
    }

    fn body(&mut self) -> Vec<u8> {
        let mut body = self.one_of(&BODIES).as_bytes().to_vec();
        for _ in 0..self.below(5) {
            let at = self.below(body.len() + 1);
            match self.below(4) {
                0 => body.truncate(at),
                1 => drop(body.splice(at..at, self.one_of(&WORDS).bytes())),
                2 => drop(body.splice(at..at, self.bytes().to_vec())),
                _ => drop(body.drain(at..body.len().min(at + 3))),
            }
        }
        body
    }

    /// With the token, so that it is the handlers that are asked; other headers as they come.
    fn request(&mut self) -> Option<Request<Body>> {
        let request = Request::builder().method(self.one_of(&METHODS)).uri(self.path());
        let request = request
            .header("authorization", format!("Bearer {SECRET}"))
            .header("host", "localhost")
            .header("content-type", "application/json");
        let mut request = request.body(Body::from(self.body())).ok()?;
        for _ in 0..self.below(3) {
            let name = HeaderName::from_static(self.one_of(&HEADERS));
            if let Ok(value) = HeaderValue::from_bytes(self.bytes()) {
                request.headers_mut().insert(name, value);
            }
        }
        Some(request)
    }
}

/// A service with something of everything to be asked for; it lives as long as the test.
struct Service {
    registry: Registry,
    breaker: Breaker,
    bulkhead: Bulkhead,
    runtime: tokio::runtime::Runtime,
}

impl Service {
    fn new() -> Self {
        let registry = Registry::new();
        let breaker = Breaker::builder("inventory").registry(&registry).build().unwrap();
        let bulkhead = Bulkhead::builder("inventory").registry(&registry).build().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { registry, breaker, bulkhead, runtime }
    }

    /// A console for each: else most were refused, because there are too many.
    fn ask(&self, request: Request<Body>) -> u16 {
        let text = "[breaker.inventory]\n[bulkhead.inventory]\nmax_in_flight = 10\n";
        let mut live = Live::new(Settings::builder().text("shop.toml", Format::Toml, text)).unwrap();
        live.follow(&self.breaker).unwrap();
        live.follow(&self.bulkhead).unwrap();
        let console = Console::builder(&self.registry).token("ops", SECRET).config(live).build().unwrap();
        self.runtime.block_on(async { console.router().oneshot(request).await.unwrap().status().as_u16() })
    }
}

#[test]
fn whatever_is_asked_is_answered() {
    // A panic ends the test, whatever state it is in.
    let service = AssertUnwindSafe(Service::new());
    let breaker = service.breaker.clone();
    let pipeline = Pipeline::client("inventory").registry(&service.registry).breaker(breaker).http_client();
    let _pipeline = AssertUnwindSafe(pipeline.build().unwrap());
    bolero::check!().with_test_time(LONG).with_max_len(256).for_each(|bytes: &[u8]| {
        let Some(request) = Choices(bytes).request() else { return };
        let asked = format!("{request:?}");
        let status = service.ask(request);
        // 500 and 504 would be the console's own fault; 503 is what a service that is not well answers.
        assert!(status < 500 || status == 503, "{status}: {asked}");
    });
}

#[test]
fn what_it_begins_with_is_taken() {
    let service = Service::new();
    for (path, body) in [("isolate", BODIES[1]), ("mode", BODIES[2])] {
        let request = Request::post(format!("/api/policies/inventory/{path}"))
            .header("authorization", format!("Bearer {SECRET}"))
            .header("content-type", "application/json")
            .body(Body::from(body));
        assert_eq!(service.ask(request.unwrap()), 200, "{path}");
    }
}
