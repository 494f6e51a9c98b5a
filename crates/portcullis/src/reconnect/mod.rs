//! Reconnecting: one connection for all who need it, made anew when it breaks, with care.
//!
//! Use it over a connector (a `MakeService`: a service from a target to a service) whose connections can be cloned
//! and shared, such as an HTTP/2 connection or a database session with streams of its own. A pool of connections
//! that are used by one call at a time has its own way to do this. It differs from tower's `Reconnect`: clones share
//! one connection and one attempt to make it, all who wait are woken by it, attempts that fail are spaced by a
//! backoff with jitter, and a failure is the answer of a call and never of `poll_ready`.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), portcullis::BoxError> {
//! use portcullis::{BoxError, Reconnect};
//! use tower::{ServiceExt, service_fn};
//!
//! // Connects to a port, and gives a service that speaks over the connection.
//! let connector = service_fn(|port: u16| async move {
//!     Ok::<_, BoxError>(service_fn(move |n: u32| async move { Ok::<_, BoxError>(n + u32::from(port)) }))
//! });
//!
//! let inventory = Reconnect::new("inventory").service(connector, 80);
//! assert_eq!(inventory.clone().oneshot(1).await?, 81);
//! assert_eq!(inventory.oneshot(2).await?, 82);
//! # Ok(()) }
//! ```
//!
//! # When it connects
//!
//! When a call needs it: at first, and after the connection's `poll_ready` has failed. While one attempt runs, all
//! wait for that. If it fails, each of them gets its error, as a [`ConnectError`]: a failure of the kind
//! [`Connection`](crate::FailureKind::Connection) in which nothing was sent, so that a retry above may try again.
//! Until the backoff is over, calls get that same error at once, with the time that is left; with
//! [`wait`](ReconnectBuilder::wait) they wait for it.
//!
//! An attempt belongs to all who wait for it, and is polled on by whoever is woken first: one who gives up, or is kept
//! without being asked on, holds up nobody. When nobody waits for it any more, it is dropped. A connector that panics
//! does so in the call that polled it; for the others the attempt has failed.
//!
//! # When a connection breaks
//!
//! The next call connects at once: the first break is an accident. A connection that breaks again before it was
//! [stable](Config::stable_after) is one of several that come and go, and the next attempt is put off by the backoff,
//! more with each of them; one that was stable ends that. A connection that was never ready at all counts as an
//! attempt that failed.

mod attempt;
mod bell;
mod builder;
mod error;
mod future;
mod link;
mod measure;
mod policy;
mod service;

pub use builder::ReconnectBuilder;
pub use error::ConnectError;
pub use future::ResponseFuture;
pub use measure::ReconnectStatus;
pub use policy::{Config, Reconnect};
pub use service::ReconnectService;
