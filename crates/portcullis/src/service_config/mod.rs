//! gRPC service configs: which calls are timed, retried or hedged, as a JSON document of the server's owner
//! says.
//!
//! Use it where there is such a document, or where several clients in several languages are to do the same;
//! policies and layers of one's own can do more.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), portcullis::BoxError> {
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Empty;
//! use portcullis::{BoxError, ServiceConfig, ServiceConfigLayer};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! let config = ServiceConfig::new("shop", r#"{
//!     "methodConfig": [{
//!         "name": [{ "service": "shop.v1.Shop", "method": "List" }],
//!         "timeout": "1.5s",
//!         "retryPolicy": {
//!             "maxAttempts": 3,
//!             "initialBackoff": "0.1s",
//!             "maxBackoff": "1s",
//!             "backoffMultiplier": 2,
//!             "retryableStatusCodes": ["UNAVAILABLE"]
//!         }
//!     }],
//!     "retryThrottling": { "maxTokens": 10, "tokenRatio": 0.1 }
//! }"#)?;
//!
//! let service = ServiceBuilder::new()
//!     .layer(ServiceConfigLayer::new(config.clone()))
//!     .service(service_fn(|_: Request<_>| async {
//!         Ok::<_, BoxError>(Response::builder().header("grpc-status", "14").body(Empty::<Bytes>::new())?)
//!     }));
//!
//! let call = Request::post("/shop.v1.Shop/List").body(Empty::<Bytes>::new())?;
//! let response = service.oneshot(call).await?;
//! assert_eq!(response.headers()["grpc-status"], "14");
//! assert_eq!(config.retry("/shop.v1.Shop/List").expect("it is retried").status().retries, 2);
//! # Ok(()) }
//! ```
//!
//! # What is read
//!
//! The document is a [`ServiceConfig`](https://github.com/grpc/grpc-proto/blob/master/grpc/service_config/service_config.proto)
//! in the JSON mapping of proto3, retries and hedges are those of
//! [gRFC A6](https://github.com/grpc/proposal/blob/master/A6-client-retries.md).
//!
//! | field | value | |
//! |---|---|---|
//! | `methodConfig[].name[]` | `service`, `method` | a method, all other methods of a service, or without both all other services; no name may stand there twice |
//! | `methodConfig[].timeout` | `"0.001s"` to `"86400s"` | of the whole call, to the end of its stream |
//! | `methodConfig[].waitForReady` | `true` or `false` | has no effect: the layer always waits for the inner service, within the timeout |
//! | `methodConfig[].retryPolicy` | | calls that end with a code before their first message are made again |
//! | `.maxAttempts` | 2 or more | more than 5 is taken as 5 |
//! | `.initialBackoff`, `.maxBackoff` | above `"0s"`, to `"86400s"` | |
//! | `.backoffMultiplier` | above 0 | the nth wait is `initialBackoff` × `backoffMultiplier`ⁿ⁻¹, at most `maxBackoff`, times 0.8 to 1.2 at random |
//! | `.retryableStatusCodes` | at least one name or number | |
//! | `methodConfig[].hedgingPolicy` | | calls are sent several times; not beside a `retryPolicy` |
//! | `.maxAttempts` | 2 or more | more than 5 is taken as 5 |
//! | `.hedgingDelay` | `"0s"` to `"86400s"` | without it all attempts are sent at once |
//! | `.nonFatalStatusCodes` | names or numbers | with these the other attempts go on; any other status is the answer |
//! | `retryThrottling.maxTokens` | 1 to 1000 | |
//! | `retryThrottling.tokenRatio` | 0.001 to 1000 | decimals after the third are ignored |
//!
//! Fields that are not here, such as those for load balancing, are ignored, because a document is written for
//! clients of all versions. A value that is not allowed is an error that names its place, and makes the whole
//! document one. A method config without names is checked, and applies to nothing.
//!
//! # What differs
//!
//! - Without `retryThrottling` the specification bounds retries by nothing. Here they go by the default
//!   [`BudgetConfig`](crate::retry::BudgetConfig), a fifth of the calls and ten a second.
//! - What a server asks for by its pushback is waited for besides the first backoff, and for at most 30 s.
//! - What was never sent or processed is made again without regard to its code; gRPC's "transparent retry".
//! - A stream is committed with its head; put a [`PeekLayer`](crate::PeekLayer) below to wait for the first
//!   message.
//!
//! # Where it belongs
//!
//! In place of a timeout and a retry: above breakers, bulkheads and the timeouts of attempts. A call that has
//! a deadline of its own, by `grpc-timeout` or [`Deadline`](crate::protocol::Deadline), ends by the sooner
//! one, with `DEADLINE_EXCEEDED`, and by its own where the document has none. The server is told the time that
//! is left when the call begins by `grpc-timeout`, and each further attempt what is left then.
//!
//! # Names
//!
//! The policies of a method config are called by the server and its first name, such as
//! `shop/shop.v1.Shop/List`, `shop/shop.v1.Shop`, or `shop/default`; the budget, and the timeout of calls that
//! have only a deadline of their own, are called as the server. With a
//! [reload](ServiceConfig::reload) those that are called the same keep what they have seen.

mod attempts;
mod coded;
mod document;
mod error;
mod future;
mod json;
mod layer;
mod policy;
mod service;
mod table;

pub use error::ServiceConfigError;
pub use future::ResponseFuture;
pub use layer::ServiceConfigLayer;
pub use policy::ServiceConfig;
pub use service::ServiceConfigService;
