//! Looking at a gRPC answer before it is committed.
//!
//! A gRPC call is made again only as long as nothing of its answer has come, and a response's head ends that
//! (gRFC A6). Many servers send the head before they know how the call ends: then a call that fails before
//! its first message comes as a head and trailers, and no retry can help it. [`PeekLayer`] below a retry
//! waits for what follows the head. When that is a failing status, the answer becomes a trailers-only one,
//! which the retry above judges as any other. When it is the beginning of a message, the answer is passed on
//! as it was, and is committed.
//!
//! # When not
//!
//! The caller gets the head of a stream with its first message, not before. A caller of a two-way stream
//! that waits for the head before it sends what the server is waiting for would wait for ever. Without a
//! retry above, the layer is of no use.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), portcullis::BoxError> {
//! use bytes::Bytes;
//! use http::{HeaderMap, Request, Response};
//! use http_body_util::{BodyExt, Empty, Full};
//! use portcullis::{BoxError, PeekLayer, RetryLayer, RetryPolicy};
//! use std::sync::atomic::{AtomicU32, Ordering};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! static ATTEMPTS: AtomicU32 = AtomicU32::new(0);
//!
//! // A server that answers at once, and then finds out that it cannot.
//! let server = service_fn(|_: Request<_>| async {
//!     let first = ATTEMPTS.fetch_add(1, Ordering::Relaxed) == 0;
//!     let status = if first { "14" } else { "0" };
//!     let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), status.parse().unwrap())]);
//!     let message = if first { Empty::new().boxed() } else { Full::new(Bytes::from("ok")).boxed() };
//!     Ok::<_, BoxError>(Response::new(message.with_trailers(std::future::ready(Some(Ok(trailers))))))
//! });
//!
//! let service = ServiceBuilder::new()
//!     .layer(RetryLayer::new(RetryPolicy::new("feed")).grpc().idempotent())
//!     .layer(PeekLayer::new())
//!     .service(server);
//!
//! let response = service.oneshot(Request::post("/feed.Feed/Watch").body(Full::<Bytes>::default())?).await?;
//! assert_eq!(response.into_body().collect().await?.to_bytes(), "ok");
//! assert_eq!(ATTEMPTS.load(Ordering::Relaxed), 2);
//! # Ok(()) }
//! ```

mod body;
mod future;
mod layer;
mod service;

pub use body::PeekBody;
pub use future::ResponseFuture;
pub use layer::PeekLayer;
pub use service::PeekService;
