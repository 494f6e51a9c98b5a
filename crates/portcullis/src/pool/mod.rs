//! Threads of one's own, for what blocks or computes: it can then keep nothing else from its work.
//!
//! Use it around handlers and clients that block (drivers without async, file systems, C libraries) or that
//! compute for more than some 100 µs between two awaits (images, documents, hashes, large JSON). A
//! [`Bulkhead`](crate::Bulkhead) limits calls too, but they run on the runtime's threads, where one that blocks
//! stops all the tasks behind it; for a dependency that is only slow it is enough, and costs less: here a call
//! goes to another thread and back, and keeps it also while it waits. `tokio::task::spawn_blocking` is a pool
//! as well: one for the whole process, with a queue that has no end, which the calls to one bad dependency fill.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! use portcullis::{BoxError, Reason, Rejection, ThreadPool, ThreadPoolLayer};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! let pool = ThreadPool::builder("pdf").threads(4).max_queued(16).build()?;
//! let service = ServiceBuilder::new()
//!     .layer(ThreadPoolLayer::new(pool.clone()))
//!     .service(service_fn(|pages: u32| async move {
//!         let rendered: u64 = (0..u64::from(pages)).sum(); // takes its time, on a thread of its own
//!         assert!(pages > 0, "an empty document");
//!         Ok::<_, BoxError>(rendered)
//!     }));
//!
//! assert_eq!(service.clone().oneshot(10).await?, 45);
//!
//! let error = service.clone().oneshot(0).await.unwrap_err();
//! assert_eq!(error.downcast_ref::<Rejection>().unwrap().reason(), Reason::Panicked);
//! assert_eq!((pool.status().panics, pool.status().busy), (1, 0));
//! # Ok(()) }
//! ```
//!
//! For calls that wait, and are to do so on another runtime, there is the [executor](crate::executor).
//!
//! # Cancellation
//!
//! Dropping a call in the queue leaves the queue: its work never begins. Dropping one that runs has its future
//! dropped, on its thread, where it next waits; a closure cannot be stopped, and keeps its thread until it ends,
//! unless it [looks](ThreadPool::run_with) whether its caller is gone. Either way the thread counts as busy until
//! the work has ended indeed.
//!
//! # Panics
//!
//! A panic ends the call with [`Reason::Panicked`](crate::Reason::Panicked), which an outer breaker or retry
//! counts as a failure of the kind [`Panic`](crate::FailureKind::Panic), and HTTP answers with 500. What it said
//! is in an [event](crate::event::EventKind::Panicked). The thread goes on with the next call. Where panics
//! abort the process, they still do.
//!
//! # What a call finds there
//!
//! The runtime that it came from, so that timers, sockets and `tokio::spawn` work as ever, the
//! [deadline](crate::deadline::current) of the call, and with the feature `tracing` the span that was the current
//! one when it was made: in it the call runs, and is dropped. Task-locals, thread-locals and a subscriber that was set
//! for a thread alone do not follow. The runtime is not *entered* as for a task: blocking clients that have a runtime
//! inside, and `Handle::block_on`, work there. A runtime of one thread must go on running for its timers to fire: it
//! does while the call is awaited.
//!
//! The body of an HTTP response is read by whoever reads it, on the caller's runtime; what computes there is
//! not on the pool.
//!
//! # Tests
//!
//! A paused clock stands while work runs on a thread, and goes on while its future waits: as everywhere, time
//! passes when there is nothing else to do. So a runtime in a test waits for the work when it is dropped, too;
//! others do not.

mod answer;
mod builder;
mod caller;
mod context;
mod future;
mod held;
mod in_place;
mod job;
mod layer;
mod measure;
mod policy;
mod service;
mod threads;
mod ticket;
mod waiting;

use answer::Answer;
pub use builder::ThreadPoolBuilder;
pub use caller::Caller;
pub use future::ResponseFuture;
pub use layer::ThreadPoolLayer;
pub use measure::ThreadPoolStatus;
pub use policy::ThreadPool;
pub use portcullis_core::pool::{
    Config, DEFAULT_KEEP_ALIVE, DEFAULT_MAX_QUEUED, DEFAULT_MAX_WAIT, DEFAULT_THREADS, MAX_QUEUED,
    MAX_THREADS, Preset,
};
pub use service::ThreadPoolService;
pub use ticket::ThreadPoolTicket;
