//! The executor: calls run as tasks of a given runtime.
//!
//! For work that is to be done by other threads than those that accept it: a runtime with its own threads for what
//! matters most, or for what takes longest, so that neither holds up the other. And for work that is to go on
//! whoever polls: a call that is only polled now and then, in a large `select!` or below a
//! [coalescing](crate::coalesce), runs all the same.
//!
//! It bounds nothing: how many calls run at a time is for a [`Bulkhead`](crate::Bulkhead) outside of it. What blocks or
//! computes does not belong on a runtime's threads: that is for a [pool of threads](crate::pool).
//!
//! ```
//! # fn main() -> Result<(), portcullis::BoxError> {
//! use portcullis::{BoxError, Executor, ExecutorLayer};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! let reports = tokio::runtime::Builder::new_multi_thread().thread_name("reports").worker_threads(1).build()?;
//! let executor = Executor::on("reports", reports.handle().clone());
//! let service = ServiceBuilder::new()
//!     .layer(ExecutorLayer::new(executor.clone()))
//!     .service(service_fn(|(): ()| async {
//!         Ok::<_, BoxError>(std::thread::current().name() == Some("reports"))
//!     }));
//!
//! let front = tokio::runtime::Builder::new_current_thread().build()?;
//! assert!(front.block_on(service.oneshot(()))?);
//! assert_eq!(executor.status().finished, 1);
//! # Ok(()) }
//! ```
//!
//! # Cancellation
//!
//! Dropping a call aborts its task: it is dropped on its runtime, where it next waits. Until then it is told as
//! running. A panic of the task goes on in the caller.
//!
//! # A runtime that ends
//!
//! A call whose runtime has been shut down, or is while it runs, is refused with
//! [`Reason::RuntimeStopped`](crate::Reason::RuntimeStopped), which says nothing about the dependency and is not
//! retried: the call may have been processed.
//!
//! # What a call finds there
//!
//! The [deadline](crate::deadline::current) of the call, and with the feature `tracing` the span that was the current
//! one when it was made: in it the call runs, and is dropped. Task-locals do not follow. Timers are those of the task's
//! runtime, whose clock is its own: where a test pauses the one of the caller, the other goes on. The body of an HTTP
//! response is read by whoever reads it, where that is.

mod builder;
mod future;
mod layer;
mod measure;
mod policy;
mod service;
mod task;

pub use builder::ExecutorBuilder;
pub use future::ResponseFuture;
pub use layer::ExecutorLayer;
pub use measure::ExecutorStatus;
pub use policy::Executor;
pub use service::ExecutorService;
