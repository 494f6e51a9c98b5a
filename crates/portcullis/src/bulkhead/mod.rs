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

//!
//! # Who waits
//!
//! A call that finds no permit is refused at once; with a [queue](BulkheadBuilder::queue) it waits, for a
//! bounded time. Who is [next](Order) is who came first (the default), who came last, or who
//! [matters](crate::Priority) most. Nobody is served past him, though there were room: a heavy call is not starved
//! by light ones. [CoDel](Codel) drops calls that waited too long, when all do. Permits can be
//! [kept](BulkheadBuilder::reserve) for the higher classes.
//!
//! A call can [weigh](BulkheadLayer::weigh) more than one permit, by its size or cost.
//!
//! # Cancellation
//!
//! Dropping a call at any point gives back what it holds, or leaves the queue; permits that it was just
//! handed go to who is next. The same goes for a panic.

mod builder;
mod demand;
mod future;
pub mod keyed;
mod layer;
mod measure;
mod policy;
mod service;
mod ticket;

pub use builder::BulkheadBuilder;
#[cfg(feature = "http")]
pub use demand::FromHead;
pub use demand::{Demands, Plain, Prioritized, Weighed};
pub use future::ResponseFuture;
pub use keyed::{KeyedBulkhead, KeyedBulkheadLayer};
pub use layer::BulkheadLayer;
pub use measure::BulkheadStatus;
pub use policy::Bulkhead;
pub use portcullis_core::bulkhead::{
    Codel, Config, DEFAULT_INTERVAL, DEFAULT_MAX_IN_FLIGHT, DEFAULT_MAX_QUEUED, DEFAULT_MAX_WAIT,
    DEFAULT_TARGET, Demand, MAX_PERMITS, Order, Preset,
};
pub use service::BulkheadService;
pub use ticket::BulkheadTicket;
