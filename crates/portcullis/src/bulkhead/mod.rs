//! The bulkhead: a limit on the calls in flight, so that one slow dependency cannot take everything.
//!
//! Use it around every dependency that can be slow. It differs from tower's `ConcurrencyLimit`: its
//! queue is bounded and waits for a bounded time, its refusals come from `call`, its permits come back
//! when the response's body ends, and its state is made once and not per connection.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! use portcullis::{BoxError, Bulkhead, BulkheadLayer, PolicyKind, Rejection};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! let bulkhead = Bulkhead::builder("reports").max_in_flight(1).build()?;
//! let service = ServiceBuilder::new()
//!     .layer(BulkheadLayer::new(bulkhead.clone()))
//!     .service(service_fn(|(): ()| async { std::future::pending::<Result<(), BoxError>>().await }));
//!
//! let running = tokio::spawn(service.clone().oneshot(()));
//! tokio::task::yield_now().await;
//! let error = service.clone().oneshot(()).await.unwrap_err();
//! assert_eq!(error.downcast_ref::<Rejection>().unwrap().kind(), PolicyKind::Bulkhead);
//!
//! running.abort();
//! let _ = running.await;
//! assert_eq!(bulkhead.status().in_flight, 0, "the permit is back");
//! # Ok(()) }
//! ```

mod builder;
mod future;
mod layer;
mod policy;
mod service;
mod ticket;

pub use builder::BulkheadBuilder;
pub use future::ResponseFuture;
pub use layer::BulkheadLayer;
pub use policy::{Bulkhead, BulkheadStatus};
pub use portcullis_core::bulkhead::{
    Config, DEFAULT_MAX_IN_FLIGHT, DEFAULT_MAX_QUEUED, DEFAULT_MAX_WAIT, MAX_PERMITS,
};
pub use service::BulkheadService;
pub use ticket::BulkheadTicket;
