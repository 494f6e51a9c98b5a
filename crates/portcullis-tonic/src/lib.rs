//! Portcullis under tonic clients: what a layer refuses, the caller gets as a
//! [`Status`](tonic::Status) that says who refused and why.
//!
//! The protocol [`Grpc`](portcullis::Grpc) is all that a tonic server needs, and does for clients too: a
//! refusal is then a response, with the right code and metadata, and the generated client makes a status of
//! it, as of any other. What it cannot keep is the [`Rejection`](portcullis::Rejection) itself. With
//! [`Tonic`] a refusal is an error, which the client hands through as it is, and [`StatusExt::rejection`]
//! finds the rejection in it.
//!
//! ```
//! use echo_proto::{EchoRequest, echo_client::EchoClient};
//! use portcullis::{
//!     Breaker, BreakerLayer, PolicyKind, RetryLayer, RetryPolicy, Timeout, TimeoutLayer,
//! };
//! use portcullis_tonic::{StatusExt, Tonic};
//! use std::time::Duration;
//! use tonic::{Code, body::Body, transport::Endpoint};
//! use tower::ServiceBuilder;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), portcullis::BoxError> {
//! let breaker = Breaker::new("echo");
//! let channel = ServiceBuilder::new()
//!     .layer(TimeoutLayer::new(Timeout::total("echo", Duration::from_secs(1))?).protocol(Tonic::default()))
//!     .layer(RetryLayer::new(RetryPolicy::new("echo")).grpc().rebody(Body::new).protocol(Tonic::default()))
//!     .layer(BreakerLayer::new(breaker.clone()).protocol(Tonic::default()))
//!     .service(Endpoint::from_static("http://127.0.0.1:50051").connect_lazy());
//! let mut client = EchoClient::new(channel);
//!
//! breaker.trip();
//! let status = client.unary(EchoRequest::default()).await.unwrap_err();
//!
//! assert_eq!(status.code(), Code::Unavailable);
//! let rejection = status.rejection().expect("the breaker's");
//! assert_eq!((rejection.kind(), &**rejection.policy()), (PolicyKind::Breaker, "echo"));
//! # Ok(()) }
//! ```
//!
//! All layers of a stack want the same protocol: where one has `.grpc()` instead, its refusals are responses
//! again.
//!
//! # A service config
//!
//! A [`ServiceConfigLayer`](portcullis::ServiceConfigLayer) takes the place of the timeout and the retry, and
//! wants a [`PeekLayer`](portcullis::PeekLayer) below where answers are streams.
//!
//! ```
//! use echo_proto::{EchoRequest, echo_client::EchoClient};
//! use portcullis::{Breaker, BreakerLayer, PeekLayer, ServiceConfig, ServiceConfigLayer};
//! use portcullis_tonic::{StatusExt, Tonic};
//! use tonic::{body::Body, transport::Endpoint};
//! use tower::ServiceBuilder;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), portcullis::BoxError> {
//! let config = ServiceConfig::new("echo", r#"{ "methodConfig": [
//!     { "name": [{ "service": "echo.v1.Echo" }], "timeout": "2s", "retryPolicy": {
//!         "maxAttempts": 3, "initialBackoff": "0.05s", "maxBackoff": "1s", "backoffMultiplier": 2,
//!         "retryableStatusCodes": ["UNAVAILABLE"] } },
//!     { "name": [{ "service": "echo.v1.Echo", "method": "Unary" }], "hedgingPolicy": {
//!         "maxAttempts": 2, "hedgingDelay": "0.1s", "nonFatalStatusCodes": ["UNAVAILABLE"] } }
//! ] }"#)?;
//! let breaker = Breaker::new("echo");
//! let channel = ServiceBuilder::new()
//!     .layer(ServiceConfigLayer::new(config.clone()).rebody(Body::new).protocol(Tonic::default()))
//!     .layer(PeekLayer::new())
//!     .layer(BreakerLayer::new(breaker.clone()).protocol(Tonic::default()))
//!     .service(Endpoint::from_static("http://127.0.0.1:50051").connect_lazy());
//!
//! breaker.isolate();
//! let status = EchoClient::new(channel).unary(EchoRequest::default()).await.unwrap_err();
//! assert!(status.rejection().is_some());
//! assert_eq!(config.hedge("/echo.v1.Echo/Unary").expect("it is hedged").status().calls, 1);
//! # Ok(()) }
//! ```
//!
//! # By method
//!
//! [`ByMethod`] has a value for each service or method, such as the policy that a call is retried by, and
//! [`methods`] says of which calls it is safe to make them twice. Both go by the
//! [`GrpcMethod`](tonic::GrpcMethod) that generated clients put into each request.
//!
//! ```
//! use echo_proto::echo_client::EchoClient;
//! use portcullis::{RetryLayer, RetryPolicy};
//! use portcullis_tonic::{ByMethod, Tonic, methods};
//! use tonic::{body::Body, transport::Endpoint};
//! use tower::ServiceBuilder;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), portcullis::BoxError> {
//! let policies = ByMethod::default()
//!     .service("echo.v1.Echo", RetryPolicy::new("echo"))
//!     .method("echo.v1.Echo", "Unary", RetryPolicy::builder("echo/unary").max_attempts(5).build()?);
//! let retry = RetryLayer::by(policies)
//!     .grpc()
//!     .rebody(Body::new)
//!     .protocol(Tonic::default())
//!     .idempotent_if(methods(["echo.v1.Echo/Unary", "echo.v1.Echo/ServerStream"]));
//!
//! let channel = Endpoint::from_static("http://127.0.0.1:50051").connect_lazy();
//! let mut client = EchoClient::new(ServiceBuilder::new().layer(retry).service(channel));
//! # drop(client.unary(echo_proto::EchoRequest::default()));
//! # Ok(()) }
//! ```
//!
//! It is the same with a hedge for each method, and without one a call is sent once; for one hedge of some methods
//! [`methods`] is enough:
//!
//! ```
//! use echo_proto::echo_client::EchoClient;
//! use portcullis::{Hedge, HedgeLayer};
//! use portcullis_tonic::{ByMethod, Tonic, methods};
//! use tonic::{body::Body, transport::Endpoint};
//! use tower::ServiceBuilder;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let hedges = ByMethod::default().method("echo.v1.Echo", "Unary", Hedge::new("echo/unary"));
//! let hedge = HedgeLayer::by(hedges)
//!     .grpc()
//!     .rebody(Body::new)
//!     .protocol(Tonic::default())
//!     .idempotent_if(methods(["echo.v1.Echo/Unary"]));
//!
//! let channel = Endpoint::from_static("http://127.0.0.1:50051").connect_lazy();
//! let mut client = EchoClient::new(ServiceBuilder::new().layer(hedge).service(channel));
//! # drop(client.unary(echo_proto::EchoRequest::default()));
//! # }
//! ```
#![forbid(unsafe_code)]

#[cfg(feature = "health")]
pub mod health;
mod method;
mod protocol;
mod share;
mod status;

pub use method::{ByMethod, methods};
pub use protocol::Tonic;
pub use status::{StatusExt, refusal};
