//! tower layers under a reqwest client, unchanged.
//!
//! A layer that keeps a service up is written once, against `http::Request` and
//! `http::Response`. reqwest has its own request type, and `reqwest-middleware` its own chain.
//! This crate is the way in for both:
//!
//! | the client is | use | what comes out |
//! |---|---|---|
//! | a [`reqwest::Client`], or any service of [`reqwest::Request`] | [`ReqwestService`] | a `tower` service of [`http::Request<reqwest::Body>`](http::Request) |
//! | a `reqwest_middleware::ClientWithMiddleware` | [`TowerMiddleware`] | the client stays what it was; the stack is one middleware of its chain |
//!
//! # A stack in a middleware chain
//!
//! ```
//! use std::time::Duration;
//!
//! use portcullis_reqwest::TowerMiddleware;
//! use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
//! use tower::ServiceBuilder;
//!
//! fn client() -> ClientWithMiddleware {
//!     let stack = ServiceBuilder::new()
//!         .load_shed()
//!         .concurrency_limit(64)
//!         .timeout(Duration::from_secs(2));
//!     ClientBuilder::new(reqwest::Client::new())
//!         .with(TowerMiddleware::new(stack))
//!         .build()
//! }
//!
//! async fn fetch(client: &ClientWithMiddleware) -> reqwest_middleware::Result<String> {
//!     let response = client.get("http://127.0.0.1:8080/").send().await?;
//!     Ok(response.text().await?)
//! }
//! # let client = client();
//! # drop(fetch(&client));
//! ```
//!
//! # A stack around the client
//!
//! ```
//! use std::time::Duration;
//!
//! use portcullis_reqwest::ReqwestService;
//! use tower::{BoxError, Service, ServiceBuilder, ServiceExt};
//!
//! async fn fetch(client: reqwest::Client) -> Result<String, BoxError> {
//!     let mut service = ServiceBuilder::new()
//!         .concurrency_limit(64)
//!         .timeout(Duration::from_secs(2))
//!         .service(ReqwestService::new(client));
//!     let request = http::Request::get("http://127.0.0.1:8080/").body(reqwest::Body::default())?;
//!     let response = service.ready().await?.call(request).await?;
//!     Ok(reqwest::Response::from(response).text().await?)
//! }
//! # drop(fetch(reqwest::Client::new()));
//! ```
//!
//! # Limits
//!
//! - In a chain, the stack must be `Clone + Send + 'static` (not `Sync`), and take
//!   `http::Request<reqwest::Body>`. It is built once; each request runs on a clone of it.
//! - A layer that makes a second request out of the first must copy the request's `extensions`,
//!   as cloning the parts of the request does: they carry the way back to the client. Without
//!   them the call ends with [`LinkError::Missing`].
//! - In a chain, work that a layer starts in the background lives as long as the caller waits. A
//!   call it makes later ends with [`LinkError::Abandoned`].
//! - A request body that is in memory should stay a plain [`reqwest::Body`]: wrapped into a stream
//!   it can be sent only once, so that redirects with status 307 are no longer followed. To send
//!   it again, [`duplicate`] it.
//! - An `http::Uri` has no fragment: `#part` of the URL is not kept.
//! - Not for wasm, where requests are not `Send`.
//!
//! TLS, HTTP/2 and the other features of reqwest are chosen where the client is made: this crate
//! turns none of them on.

#![forbid(unsafe_code)]

mod attempt;
mod body;
mod convert;
mod error;
mod extensions;
mod future;
mod link;
mod middleware;
mod next;
mod service;

pub use crate::{
    body::duplicate,
    error::{LinkError, NextError, StackError},
    future::ResponseFuture,
    middleware::TowerMiddleware,
    next::{NextFuture, NextService},
    service::ReqwestService,
};

/// The error type that the layers of tower share.
type BoxError = Box<dyn std::error::Error + Send + Sync>;
