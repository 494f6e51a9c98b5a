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
//! use portcullis::{Breaker, BreakerLayer, RetryLayer, RetryPolicy, Timeout, TimeoutLayer};
//! use portcullis_reqwest::{ReqwestReplay, TowerMiddleware};
//! use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
//! use tower::ServiceBuilder;
//!
//! fn client() -> Result<ClientWithMiddleware, portcullis::ConfigError> {
//!     let timeout = Timeout::total("inventory", Duration::from_secs(2))?;
//!     let stack = ServiceBuilder::new()
//!         .layer(TimeoutLayer::new(timeout).http_client())
//!         .layer(RetryLayer::new(RetryPolicy::new("inventory")).http_client().replay(ReqwestReplay::default()))
//!         .layer(BreakerLayer::new(Breaker::new("inventory")).http_client());
//!     Ok(ClientBuilder::new(reqwest::Client::new()).with(TowerMiddleware::new(stack)).build())
//! }
//!
//! async fn fetch(client: &ClientWithMiddleware) -> reqwest_middleware::Result<String> {
//!     let response = client.get("http://127.0.0.1:8080/").send().await?;
//!     Ok(response.text().await?)
//! }
//! # drop(fetch(&client()?));
//! # Ok::<(), portcullis::ConfigError>(())
//! ```
//!
//! # A stack around the client
//!
//! ```
//! use portcullis::{BoxError, Breaker, BreakerLayer, RetryLayer, RetryPolicy};
//! use portcullis_reqwest::{ReqwestReplay, ReqwestService};
//! use tower::{Service, ServiceBuilder, ServiceExt};
//!
//! async fn fetch(client: reqwest::Client) -> Result<String, BoxError> {
//!     let mut service = ServiceBuilder::new()
//!         .layer(RetryLayer::new(RetryPolicy::new("inventory")).http_client().replay(ReqwestReplay::default()))
//!         .layer(BreakerLayer::new(Breaker::new("inventory")).http_client())
//!         .service(ReqwestService::new(client));
//!     let request = http::Request::get("http://127.0.0.1:8080/").body(reqwest::Body::default())?;
//!     let response = service.ready().await?.call(request).await?;
//!     Ok(reqwest::Response::from(response.map(reqwest::Body::wrap)).text().await?)
//! }
//! # drop(fetch(reqwest::Client::new()));
//! ```
//!
//! Any other tower layer does as well, and so does a stack of them and these.
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
//!   it can be sent only once, so that redirects with status 307 are no longer followed.
//!   [`ReqwestReplay`] keeps it plain; a layer of one's own can [`duplicate`] it.
//! - reqwest itself sends some requests again that its peer did not take up. Under a
//!   [`RetryLayer`](portcullis::RetryLayer) these come on top; to leave it all to the layer, build the
//!   client with `.retry(reqwest::retry::never())`.
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
mod replay;
mod service;

pub use crate::{
    body::duplicate,
    error::{LinkError, NextError, StackError},
    future::ResponseFuture,
    middleware::TowerMiddleware,
    next::{NextFuture, NextService},
    replay::{ReqwestReplay, TryCloneReplay},
    service::ReqwestService,
};

use portcullis::BoxError;
