//! The adaptive limit: a limit on the calls in flight that finds itself, by how long calls take and how they end.
//!
//! Use it where nobody can say how many calls a dependency bears at a time, or where that changes: with its load, its
//! version, its neighbours. It differs from the [bulkhead](crate::Bulkhead), whose limit you set, and which can let
//! calls wait. Where the number is known, as that of a pool's connections is, take a bulkhead: it is exact from the
//! first call on. It differs from a [rate limit](crate::RateLimit), which counts calls in a time: when a
//! dependency becomes slower, this one lets fewer in.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! use portcullis::{AdaptiveLimit, AdaptiveLimitLayer, BoxError};
//! use std::time::Duration;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! let limit = AdaptiveLimit::builder("search")
//!     .between(5, 200)
//!     .initial(20)
//!     .ceiling(Duration::from_secs(2))
//!     .build()?;
//! let service = ServiceBuilder::new()
//!     .layer(AdaptiveLimitLayer::new(limit.clone()))
//!     .service(service_fn(|n: u32| async move { Ok::<_, BoxError>(n) }));
//!
//! assert_eq!(service.oneshot(7).await?, 7);
//! assert_eq!((limit.status().limit, limit.status().in_flight), (20, 0));
//! # Ok(()) }
//! ```
//!
//! # How the limit is found
//!
//! By one of four [algorithms](Algorithm), each behind the same guards; see [`portcullis_core::adaptive`]. Windows
//! of 100 ms and at least ten calls are decided on, so that the limit is found within seconds.
//!
//! | | goes by | for |
//! |---|---|---|
//! | [`Vegas`] (default) | an estimate of how many calls wait for others | most |
//! | [`Gradient`] | the ratio of the usual latency to that of now, with a tolerance | latencies that vary by themselves |
//! | [`Correlation`] | the tail of the latencies, and whether more calls in flight do more | many calls, few of them alike |
//! | [`Aimd`] | refusals, timeouts, and the [ceiling](AdaptiveLimitBuilder::ceiling) | dependencies that refuse |
//!
//! # What counts
//!
//! - A success counts by its latency: from the call to the answer; with HTTP and gRPC to the answer's head, because
//!   the body is read as fast as its reader wants. The place is held until the body has ended.
//! - Timeouts and refusals of the dependency are congestion: failures of the kinds in
//!   [`congestion`](AdaptiveLimitBuilder::congestion), and everything that took longer than the ceiling. Up to 2 % of a
//!   window may be, and a burst of them lowers the limit once.
//! - Other failures, and refusals by layers of this library below, say nothing.
//!
//! Put it outside of a [timeout](crate::Timeout) of single attempts, so that a dependency that hangs is seen, and
//! frees its places again.
//!
//! # No queue
//!
//! A call that finds no place is refused at once. The limit is what the dependency can do at a time, with a
//! short queue inside of it already; a second queue in front would add to what is waited for, and nobody who waits in it
//! would be served sooner. Who can wait asks again later: a [retry](crate::RetryPolicy) with a budget, told to
//! [retry refusals](crate::retry::Config::retry_refusals), outside of this.
//!
//! # Looks
//!
//! Every 30 s under load the limit is halved until one window was measured, to see how long calls take when none
//! waits for another. That costs about half a percent of the throughput, and is what keeps a queue that
//! stays from becoming what is usual. See [`probe_every`](AdaptiveLimitBuilder::probe_every).
//!
//! # Cancellation
//!
//! A call that is dropped gives its place back and is no sample: how long it would have taken is not known. But one that was
//! given up after the ceiling (without one, after ten times what is usual) counts as congestion, because callers with
//! a deadline are all that a hanging dependency leaves behind. A call that neither ends nor is dropped holds its place.
//!
//! # Cost
//!
//! The limit and the calls in flight are one word that all threads share, because a limit must be exact: two locked
//! instructions per call, and a cache line that moves from one thread to the other. The samples are counted by each thread on its own.

mod builder;
mod common;
mod future;
mod keyed;
mod layer;
mod measure;
mod picks;
mod policy;
mod saved;
mod service;
mod setters;
mod ticket;

pub use builder::AdaptiveLimitBuilder;
pub use future::ResponseFuture;
pub use keyed::{KeyedAdaptiveLimit, KeyedAdaptiveLimitBuilder, KeyedAdaptiveLimitStatus};
pub use layer::AdaptiveLimitLayer;
pub use measure::AdaptiveLimitStatus;
pub use picks::AdaptiveLimits;
pub use policy::AdaptiveLimit;
pub use portcullis_core::adaptive::{
    Aimd, Algorithm, Change, Config, Correlation, DEFAULT_ALPHA, DEFAULT_BACKOFF, DEFAULT_BETA,
    DEFAULT_INCREASE, DEFAULT_INITIAL, DEFAULT_LONG_WINDOW, DEFAULT_MAX, DEFAULT_MIN, DEFAULT_MIN_SAMPLES,
    DEFAULT_PROBE_EVERY, DEFAULT_QUEUE, DEFAULT_SMOOTHING, DEFAULT_TOLERANCE, DEFAULT_TOLERATED,
    DEFAULT_WINDOW, DEFAULT_WINDOWS, Gradient, MAX_LIMIT, Preset, Vegas,
};
pub use service::AdaptiveLimitService;
pub use ticket::AdaptiveTicket;
