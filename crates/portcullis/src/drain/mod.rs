//! The end of a server, without a failed call: it says that it wants no more traffic, refuses new work, finishes what
//! is in flight, and tells who was cut.
//!
//! For every server that is restarted while clients call it. A [load shedder](crate::shed) refuses what is too much and
//! goes on; this refuses all, once, and is over. Without it a restart is felt by everybody who is on their way: requests
//! to a socket that is closed, answers that break off, and balancers that learn of it last.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! use portcullis::{BoxError, Drain, DrainLayer, drain::{End, Phase}};
//! use std::time::Duration;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! let drain = Drain::builder("shop").announce(Duration::from_secs(1)).build()?;
//! let service = ServiceBuilder::new().layer(DrainLayer::new(drain.clone())).service(service_fn(|n: u32| async move {
//!     tokio::time::sleep(Duration::from_secs(3)).await;
//!     Ok::<_, BoxError>(n)
//! }));
//!
//! let running = tokio::spawn(service.clone().oneshot(7));
//! tokio::task::yield_now().await;
//! drain.begin();
//! drain.signal().await; // what a host's graceful shutdown waits for
//! assert!(service.oneshot(8).await.is_err());
//!
//! let report = drain.ended().await;
//! assert_eq!((report.by, report.in_flight, report.cut()), (End::Finished, 1, 0));
//! assert_eq!((running.await??, drain.phase()), (7, Phase::Ended));
//! # Ok(()) }
//! ```
//!
//! # The phases
//!
//! | phase | what happens | until |
//! |---|---|---|
//! | serving | all as usual | [`begin`](Drain::begin), or a signal to [end](Drain::on_terminate) |
//! | announced | the attached [`Health`](crate::Health) is not ready; calls are served, and HTTP/1 answers end their connection | [`announce`](DrainBuilder::announce) is over |
//! | refusing | new calls are refused; [`signal`](Drain::signal) is ready, so that the host closes its listener and tells HTTP/2 clients to go away | nothing is in flight, or [`grace`](DrainBuilder::grace) is over |
//! | ended | [`ended`](Drain::ended) is ready, with a [`Report`] | |
//!
//! A call is in flight until its response's body ends. One that is let in is always waited for: there is no moment at
//! which a call could be neither refused nor counted.
//!
//! # How calls are refused
//!
//! | request | answer |
//! |---|---|
//! | HTTP/1 | 503 with `Connection: close` and `Retry-After` |
//! | HTTP/2 | 503 with `Retry-After`; the host sends GOAWAY |
//! | gRPC | `UNAVAILABLE` without anything else, and a pushback of 0: to be made again at once, elsewhere |
//!
//! # In a host
//!
//! ```
//! # #[cfg(feature = "signal")]
//! # mod program {
//! # use std::{convert::Infallible, future::Future, io};
//! # use http::{Request, Response};
//! # use tower::{Service, Layer};
//! use portcullis::{BoxError, Drain, DrainLayer, Health, HealthLayer, Registry};
//! use tower::ServiceBuilder;
//!
//! /// With axum: `axum::serve(listener, app).with_graceful_shutdown(signal)`.
//! async fn serve<S>(app: S, signal: impl Future<Output = ()>) -> io::Result<()> {
//!     # drop(app);
//!     # signal.await;
//!     # Ok(())
//! }
//!
//! async fn run<S, B>(router: S) -> Result<(), BoxError>
//! where
//!     S: Service<Request<B>, Response = Response<B>, Error = Infallible> + Clone,
//! {
//!     let health = Health::new(Registry::global());
//!     let drain = Drain::builder("shop").health(&health).build()?;
//!     drain.on_terminate()?; // SIGTERM and Ctrl-C; a second one ends the grace
//!
//!     let app = ServiceBuilder::new()
//!         .layer(HealthLayer::new(health)) // outermost: it is asked until the end
//!         .layer(DrainLayer::new(drain.clone()).http_server())
//!         .service(router);
//!     let report = drain.serve(serve(app, drain.signal())).await?;
//!     eprintln!("{report}");
//!     Ok(())
//! }
//! # }
//! ```
//!
//! With tonic it is `serve_with_incoming_shutdown(incoming, drain.signal())`, and the layer is `.grpc()`. A host
//! without a graceful shutdown is dropped after `drain.ended().await`.
//!
//! # Who is cut
//!
//! When the grace is over, the [`Report`] names the calls that are still in flight, by their path or method, and how
//! long they ran. They are not ended here: what ends them is that the host is dropped, or the process.
//! [`Drain::serve`] drops the host.
//!
//! # Cancellation
//!
//! A call that is dropped is no longer in flight; the same goes for a panic. Futures of the drain hold nothing back
//! when they are dropped, and what it does in the background ends with its last handle.
//!
//! # Cost
//!
//! Two additions a call on a line of the thread's own, and a coarse look at the clock and a copy of 48 bytes to know who
//! it is ([`unnamed`](DrainBuilder::unnamed) saves these). Nothing is locked or allocated.

mod builder;
mod future;
mod layer;
mod measure;
mod policy;
mod report;
mod service;
#[cfg(feature = "signal")]
mod signal;
mod state;
mod task;
mod ticket;

pub use builder::DrainBuilder;
pub use future::ResponseFuture;
pub use layer::DrainLayer;
pub use policy::{Drain, DrainStatus};
pub use portcullis_core::drain::{
    Config, DEFAULT_ANNOUNCE, DEFAULT_GRACE, DEFAULT_RETRY_AFTER, End, LONGEST_ANNOUNCE, LONGEST_GRACE,
    LONGEST_RETRY_AFTER, NAME_BYTES, Phase, Preset, ROLL_PLACES, Seen,
};
pub use report::Report;
pub use service::DrainService;
pub use ticket::DrainTicket;
