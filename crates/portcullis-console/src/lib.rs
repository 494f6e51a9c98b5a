//! Portcullis live: a page, an admin API, an event stream, metrics and health of a [`Registry`](portcullis::Registry).
//!
//! For people who look after a service, and scripts that do. What a program decides by itself it asks of the policies; what
//! is to be kept for months belongs into Prometheus.
//!
//! Under a prefix of an axum service:
//!
//! ```
//! use axum::Router;
//! use portcullis::Registry;
//! use portcullis_console::Console;
//! use std::net::SocketAddr;
//!
//! let app = Router::new().nest_service("/portcullis", Console::new(Registry::global()).router());
//! // axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
//! # let _ = app.into_make_service_with_connect_info::<SocketAddr>();
//! ```
//!
//! On a port of its own:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), portcullis::BoxError> {
//! use portcullis::Registry;
//! use portcullis_console::Console;
//!
//! # let (address, secret) = ("127.0.0.1:0", "c2VjcmV0LW9mLW9wcw");
//! let server = Console::builder(Registry::global()).token("ops", secret).build()?.serve(address).await?;
//! println!("{}", server.url()); // until the server is dropped
//! # Ok(()) }
//! ```
//!
//! # Paths
//!
//! All below the prefix.
//!
//! | path | answer |
//! |---|---|
//! | `GET /` | the live page |
//! | `GET /livez`, `/readyz`, `/health` | as a [health layer](portcullis::health) answers them |
//! | `GET /metrics` | what Prometheus scrapes, if an exporter was [given](ConsoleBuilder) |
//! | `GET /api/policies` | every policy; `?history=1` with the last five minutes, `?q=` of those that have a text in their kind or name |
//! | `GET /api/policies/{name}` | those of a name; `?kind=` |
//! | `POST /api/policies/{name}/{action}` | `trip`, `reset`, `isolate`, `release` or `mode`, of all of that kind and name |
//! | `POST /api/stop`, `/api/release`, `/api/reset` | the same of all policies |
//! | `GET /api/events` | server-sent events; `Last-Event-ID` goes on where a reader left off |
//! | `GET /api/pipelines`, `/api/pipelines/{name}/explain` | pipelines, and what they come to; `?number=` where several have a name |
//! | `GET`, `PUT /api/config` | settings, whole or nothing, with the feature `config` |
//!
//! What is wrong is told as problem+json (RFC 9457).
//!
//! # Security
//!
//! - **Without a token**, requests of this machine alone are answered, asked for by a name that can only mean this machine (or
//!   was [told](ConsoleBuilder::host)), so that a page of elsewhere cannot look in by a name of its own; a request that
//!   a proxy passed on is of elsewhere. Nothing can be changed.
//! - **With a token**, whatever tells anything of the service needs one, from wherever; the page itself tells nothing.
//!   `/livez` and `/readyz`, a bit each, are open in both cases to whatever watches the process.
//! - **A change** needs a token, `application/json`, and, where a browser says which page asks, the console's own. It is told
//!   as an [audit event](portcullis::event::Audit) with the name of the token.
//! - Tokens are compared in a time that does not depend on what was given, and shown nowhere. Wrong ones are counted: too many are
//!   refused unread by 429.
//! - Requests, changes, streams, connections, heads and bodies are bounded, by this library's own policies, in a registry
//!   that does not show up in yours. Requests of the page, which need no token, are bounded apart from those that do.
//! - Browsers are told to load nothing from elsewhere, to run no script in the text of the page, and to put no frame
//!   around it. Names of policies are texts in JSON, and texts on the page.
//!
//! # Events
//!
//! Changes of state are all told. What comes with single calls, such as refusals, is thinned out: one of a policy in a tenth of a
//! second, and twenty a second in all. A reader that was away for longer than 1,024 events, or is too slow, is told how many it
//! lost (`event: lagged`); an id of an earlier process means nothing, and the stream begins anew.
//!
//! # Cost
//!
//! A listener of everything: a refusal then costs a few hundred nanoseconds more than in a registry that nobody listens to. And a
//! look at each policy every two seconds.
//!
//! # Features
//!
//! - `prometheus` (on by default): `/metrics`.
//! - `config`: `/api/config`.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod api;
mod builder;
mod console;
mod feed;
mod guard;
mod json;
mod page;
mod problem;
mod refusals;
mod router;
mod sample;
mod serve;
mod time;

pub use builder::{ConsoleBuilder, DEFAULT_CONNECTIONS, DEFAULT_STREAMS};
pub use console::Console;
pub use serve::Server;
