//! Retrying: calls that failed by chance are made again, as long as that is safe and can be borne.
//!
//! Safe: a request that was never sent, or was refused before any work, may always go again. A request
//! that may have been processed goes again only when it is idempotent: by its HTTP method, by an
//! `Idempotency-Key`, by the extension `Idempotent`, or because the layer was told so
//! ([`idempotent`](RetryLayer::idempotent), [`idempotent_if`](RetryLayer::idempotent_if)).
//!
//! Borne: each call pays for a share of a retry into a [`RetryBudget`], which bounds what a dead
//! dependency sees. Waits grow and are spread at random. Refusals of this library are not retried, unless the
//! policy says so and they tell when to come back.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! use portcullis::{BoxError, RetryLayer, RetryPolicy};
//! use std::sync::atomic::{AtomicU32, Ordering};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! static ATTEMPTS: AtomicU32 = AtomicU32::new(0);
//!
//! let service = ServiceBuilder::new()
//!     .layer(RetryLayer::new(RetryPolicy::new("lookup")).idempotent())
//!     .service(service_fn(|key: u32| async move {
//!         match ATTEMPTS.fetch_add(1, Ordering::Relaxed) {
//!             0 => Err(BoxError::from("lost")),
//!             _ => Ok(key * 2),
//!         }
//!     }));
//!
//! assert_eq!(service.oneshot(21).await?, 42);
//! assert_eq!(ATTEMPTS.load(Ordering::Relaxed), 2);
//! # Ok(()) }
//! ```
//!
//! # When not
//!
//! Where the dependency is overloaded, each retry makes it worse: the budget is there for that, and should stay
//! on. Where several layers or hops retry, retries multiply: let one of them do it, or let them share a
//! [budget](RetryBudget#retries-over-retries).
//!
//! # How it is decided
//!
//! After a failed attempt, in this order; the first "no" is the [`Stop`] that is counted and told:
//!
//! 1. The dependency asked not to be called again: no.
//! 2. Nothing was processed: yes. Otherwise: it is idempotent, and of a kind that may pass; or, where the policy
//!    goes by [codes of gRPC](Config::grpc_codes), it has one of those.
//! 3. There are attempts left.
//! 4. The wait, which is the backoff's and what the dependency asked for, ends before the deadline: that of the
//!    request (`protocol::Deadline` in its extensions, `grpc-timeout`), or that of the policy.
//! 5. The request can be sent again.
//! 6. The [mode](Config::mode) lets it be made, and does not only count it.
//! 7. The budget has a retry left.
//!
//! The failed response is dropped before the wait, and with it its connection and permits. Where there is no
//! further attempt, the last result is returned as it was.
//!
//! An attempt that was decided on is still not made after the deadline: where its instance is not ready by then, the
//! call ends at the deadline. The last result is gone by then, so it ends with a rejection of
//! [`Reason::Timeout`](crate::Reason::Timeout) in the policy's name, whose limit is the time that was left when the
//! attempt was decided on; it is counted as [`Stop::Deadline`]. (With [`http_server`](crate::RetryLayer::http_server),
//! which has no errors of its own, the attempt is made late.)
//!
//! # Trying it out
//!
//! With [`Mode::Shadow`](crate::Mode::Shadow) every call is made once, and the calls that would have been made
//! again are counted as [`Stop::Shadow`]. Nothing is taken from the budget meanwhile, and nobody knows how the
//! second attempts would have ended: so the count says how many calls would have been retried if the budget
//! had allowed all of them.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), portcullis::ConfigError> {
//! use portcullis::{BoxError, Mode, RetryPolicy, retry::Stop};
//!
//! let policy = RetryPolicy::builder("trial").mode(Mode::Shadow).build()?;
//! let call = || policy.call_idempotent(|_| async { Err::<(), _>(BoxError::from("lost")) });
//! call().await.unwrap_err();
//! assert_eq!((policy.status().retries, policy.status().stopped(Stop::Shadow)), (0, 1));
//!
//! policy.set_mode(Mode::EnforcePercent(10))?; // then a few of them
//! policy.set_mode(Mode::Enforce)?; // then all
//! call().await.unwrap_err();
//! assert_eq!(policy.status().retries, 2);
//! # Ok(()) }
//! ```
//!
//! # gRPC
//!
//! A call is committed when a response head without a status arrives (gRFC A6): what is retried is what ended
//! with trailers alone, or without any answer. Pushback is heeded, and `grpc-previous-rpc-attempts` is sent;
//! where the caller sent `grpc-timeout`, each attempt tells what is left of it.
//!
//! # Cancellation
//!
//! Dropping the response future drops the attempt that runs, or the wait. What the budget lent for what is in
//! flight goes back.

mod builder;
mod by_hand;
mod call;
mod config;
mod entry;
mod failures;
mod flags;
mod future;
pub mod keyed;
mod layer;
mod measure;
#[cfg(feature = "http")]
pub mod peek;
mod policies;
mod policy;
mod preset;
mod rules;
mod service;
mod setters;
mod status;
mod stop;
mod trouble;

pub use crate::budget::RetryBudget;
pub use crate::replay::{Always, CloneReplay, Idempotency, Never, Replay};
#[cfg(feature = "http")]
pub use crate::replay::{DEFAULT_MAX_BUFFERED, HttpReplay, Idempotent, Rebody, ReplayBody};
pub use builder::RetryBuilder;
pub use call::RetryCall;
#[cfg(feature = "http")]
pub(crate) use call::as_code;
pub use config::{Config, DEFAULT_MAX_ATTEMPTS, DEFAULT_MAX_RETRY_AFTER};
pub use failures::Failures;
pub use future::ResponseFuture;
pub use keyed::KeyedRetry;
pub use layer::RetryLayer;
pub use policies::{OnlyIf, Policies};
pub use policy::RetryPolicy;
pub use portcullis_core::retry::{
    After, Backoff, BudgetConfig, Curve, DEFAULT_BASE, DEFAULT_CAP, DEFAULT_CAPACITY, DEFAULT_FACTOR,
    DEFAULT_MAX_TOKENS, DEFAULT_MIN_CONCURRENT, DEFAULT_MIN_PER_SECOND, DEFAULT_RATIO, DEFAULT_RETRY_COST,
    DEFAULT_SUCCESS_INCOME, DEFAULT_TIMEOUT_COST, DEFAULT_TOKEN_RATIO, Jitter, MAX_LISTED, WaitFn,
};
pub use preset::Preset;
pub use service::RetryService;
pub use status::RetryStatus;
pub use stop::Stop;
