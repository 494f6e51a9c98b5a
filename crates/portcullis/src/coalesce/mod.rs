//! Coalescing: calls of the same key share the answer of one.
//!
//! Fifty clients that ask for the same page at once cost the dependency one call: the first makes it, the others wait
//! for its answer. Nothing is kept afterwards: the next call is a new one. That is what a cache is for, which
//! shares its misses likewise.
//!
//! Use it for reads whose answer is the same for everyone who asks with that key, in front of something that is
//! expensive or easily overrun. Do not use it for calls that change something, and mind what else an answer depends on:
//! who asks, in what language, from where. [`ByRequest`] leaves out requests that say who asks. One policy is for one
//! dependency: services that share it and its type of key, response and error share their calls.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), portcullis::BoxError> {
//! use portcullis::{BoxError, Coalesce, CoalesceLayer};
//! use std::time::Duration;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! let coalesce = Coalesce::new("prices");
//! let service = ServiceBuilder::new()
//!     .layer(CoalesceLayer::new(coalesce.clone()).by(|item: &u32| Some(*item)))
//!     .service(service_fn(|item: u32| async move {
//!         tokio::time::sleep(Duration::from_millis(10)).await;
//!         Ok::<_, BoxError>(item * 2)
//!     }));
//!
//! let (one, another) = tokio::join!(service.clone().oneshot(21), service.oneshot(21));
//! assert_eq!((one?, another?), (42, 42));
//! assert_eq!((coalesce.status().led, coalesce.status().shared), (1, 1));
//! # Ok(()) }
//! ```
//!
//! # Who leads
//!
//! The call that came first **leads**: it runs within its own caller's future, on the instance of the service that is
//! ready. The others **wait**: they do not ask the inner service whether it is ready, are woken once, and each is
//! bounded by its own deadline. If the leader's caller goes away, or its call panics, who has waited longest leads,
//! with its own request. A leader that nobody polls holds the others up, until their time is over; with an
//! [`ExecutorLayer`](crate::ExecutorLayer) below, calls run whoever polls.
//!
//! Everyone gets the same answer, and the same failure unless [`OnFailure`] says otherwise. How it is shared is told in
//! [`share`](crate::share); an answer that cannot be is for the leader alone, and the others make calls of their own.
//!
//! # Where it stands
//!
//! Outside of everything that guards the dependency, inside of each caller's own timeout and deadline. What is in the
//! leader's request is what the inner layers see: its deadline, its trace, its priority.

mod builder;
#[cfg(feature = "http")]
mod by_request;
mod future;
mod layer;
mod measure;
mod policy;
mod rules;
mod service;

pub use builder::CoalesceBuilder;
#[cfg(feature = "http")]
pub use by_request::{ByRequest, RequestKey};
pub use future::ResponseFuture;
pub use layer::{CoalesceLayer, Keyless};
pub use measure::CoalesceStatus;
pub use policy::Coalesce;
pub use portcullis_core::coalesce::{
    Config, DEFAULT_MAX_BODY, DEFAULT_MAX_KEYS, DEFAULT_MAX_WAITING, MAX_BODY, MAX_KEYS, MAX_WAITING,
    OnFailure, UnknownOnFailure,
};
pub use service::CoalesceService;
