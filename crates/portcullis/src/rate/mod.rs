//! The rate limit: so many calls in a time, and no more.
//!
//! Use it where a number of calls in a time was agreed upon: it protects a dependency from you (a partner's API
//! with a quota), or you from your callers (a tenant's plan, a login form). With a key there is one limit for each,
//! see [`KeyedRateLimit`].
//!
//! Not against slowness: a dependency that answers ten times slower has ten times as many calls in flight at the
//! same rate. That is what a [bulkhead](crate::bulkhead) is for, which limits how many run at a time. Tower's own
//! `RateLimit` differs in that it cannot be cloned, counts by fixed windows (up to twice the rate at their edges),
//! and makes everybody wait, for ever and unseen, in `poll_ready`.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! use portcullis::{BoxError, RateLimit, RateLimitLayer, Rejection};
//! use std::time::Duration;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! let limit = RateLimit::builder("partner").rate(10, Duration::from_secs(1)).burst(2).build()?;
//! let service = ServiceBuilder::new()
//!     .layer(RateLimitLayer::new(limit.clone()))
//!     .service(service_fn(|n: u32| async move { Ok::<_, BoxError>(n) }));
//!
//! service.clone().oneshot(1).await?;
//! service.clone().oneshot(2).await?;
//! let error = service.clone().oneshot(3).await.unwrap_err();
//! let wait = error.downcast_ref::<Rejection>().unwrap().retry_after();
//! assert_eq!(wait, Some(Duration::from_millis(100)));
//!
//! tokio::time::sleep(wait.unwrap()).await;
//! assert_eq!(service.oneshot(4).await?, 4);
//! # Ok(()) }
//! ```
//!
//! # What it promises
//!
//! - Over any window of any length, no more calls are let through than the burst and what the rate gives in that
//!   window. With a [sliding window](Algorithm::SlidingWindow): in any span as long as the period, no more than the
//!   permits.
//! - The time that a refusal names is exact: a nanosecond earlier the call would be refused, and then, if nobody
//!   else came, it is not.
//! - A permit comes at whole nanoseconds, rounded up: at a million a second, up to a thousandth late.
//!
//! # Refuse or wait
//!
//! By default who comes too early is refused at once. With a [`queue`](RateLimitBuilder::queue) calls wait, first
//! come, first served, whatever they take. A call that would have to wait for longer than the longest wait, or than
//! its [deadline](crate::protocol::Protocol::deadline) allows, is refused at once, so that nobody waits in vain; who
//! waits is served. Nobody goes past those who wait. Timers go by milliseconds: those in line go up to one later
//! than told, and then no more of them at once than the burst has room for, so let the burst be at least what the
//! rate gives in two milliseconds.
//!
//! # Defaults
//!
//! 100 permits in one second, as many at once; no line; 1 s of patience once there is one. The
//! [presets](Preset) are rates to begin with, where none was agreed upon: the right one nobody else knows.
//!
//! # Cancellation
//!
//! A call that is dropped in line leaves it, and all behind it move up. A permit that was taken is spent, however the
//! call ends. A [`Reservation`] that is dropped is given back, where that is right.
//!
//! # Cost
//!
//! One look at the precise clock and one compare-exchange; nothing is allocated or locked. What waits, is reserved,
//! [warms up](RateLimitBuilder::warmup) or is counted by a sliding window takes a lock.

mod builder;
mod common;
mod future;
#[cfg(feature = "http")]
mod headers;
mod keyed;
mod layer;
mod measure;
mod picks;
mod policy;
mod reservation;
mod saved;
mod service;
mod setters;
mod tell;
mod waiting;

pub use builder::RateLimitBuilder;
pub use future::ResponseFuture;
#[cfg(feature = "http")]
pub use headers::{Headers, TellHeaders};
pub use keyed::{KeyedRateLimit, KeyedRateLimitBuilder, KeyedRateLimitStatus};
pub use layer::RateLimitLayer;
pub use picks::{Cost, Limits, One};
pub use policy::{RateLimit, RateLimitStatus};
pub use portcullis_core::rate::{
    Algorithm, Config, DEFAULT_MAX_QUEUED, DEFAULT_MAX_WAIT, DEFAULT_PERIOD, DEFAULT_PERMITS, MAX_PERMITS,
    MAX_QUEUED, Preset, Warmup,
};
pub use reservation::Reservation;
pub use service::RateLimitService;
pub use tell::{Silent, Tell, Told};
