//! Deadlines that travel: what is left of a caller's time goes with the call, from service to service.
//!
//! A [timeout](crate::timeout) bounds each hop by itself: a caller that waits for 300 ms is served by a gateway that
//! waits a second for a service that waits five, and both go on working when the caller is gone. With this layer on
//! a server and on its clients, everybody knows when the answer is no longer wanted: a server reads that from the
//! request, refuses what comes too late, and drops what is not done in time; a client tells the next what is left,
//! less a margin for the way back.
//!
//! The layer goes by a [`Timeout`](crate::Timeout): its limit is what calls get that bring no deadline, and the most
//! that a caller can ask for. A header that says more than that, or that cannot be read, changes nothing: whoever
//! sends it can only shorten his own time.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), portcullis::BoxError> {
//! use portcullis::{BoxError, DeadlineLayer, Timeout, deadline};
//! use std::time::Duration;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! // What a handler calls in its turn has what is left of the handler's own time.
//! let client = ServiceBuilder::new()
//!     .layer(DeadlineLayer::new(Timeout::total("inventory", Duration::from_secs(5))?))
//!     .service(service_fn(|(): ()| async {
//!         let left = deadline::current().expect("there is one").since(portcullis::clock::now());
//!         Ok::<_, BoxError>(left)
//!     }));
//! let server = ServiceBuilder::new()
//!     .layer(DeadlineLayer::new(Timeout::total("shop", Duration::from_millis(300))?))
//!     .service(service_fn(move |(): ()| {
//!         let client = client.clone();
//!         async move {
//!             tokio::time::sleep(Duration::from_millis(100)).await;
//!             client.oneshot(()).await
//!         }
//!     }));
//! assert_eq!(server.oneshot(()).await?, Duration::from_millis(200));
//! # Ok(()) }
//! ```
//!
//! # Where a deadline comes from
//!
//! The soonest of these, and never later than the timeout's limit from now:
//!
//! - the request's extension [`Deadline`](crate::protocol::Deadline);
//! - `grpc-timeout`, of a gRPC request;
//! - a header in milliseconds, on HTTP servers: Envoy's `x-envoy-expected-rq-timeout-ms`, or another that
//!   [`header`](DeadlineLayer::header) names;
//! - the deadline of the call within which this one is made ([`current`]), where that is on the same task, or was taken
//!   along by a [pool of threads](crate::pool) or an [executor](crate::executor).
//!
//! # Where it goes
//!
//! Into the request's extensions, for the layers below: retries begin no wait that would end after it, rate limits
//! let nobody wait in vain. On clients into the headers, less the [margin](DeadlineLayer::margin). And to what is
//! called within, as [`current`]. A call that has no more left than the margin is refused before anything is sent.

mod carry;
mod future;
mod layer;
mod service;

pub use crate::current::current;
#[cfg(feature = "http")]
pub use carry::Headers;
pub use carry::{Carry, Nothing};
pub use future::ResponseFuture;
pub use layer::{DEFAULT_MARGIN, DeadlineLayer};
pub use service::DeadlineService;
