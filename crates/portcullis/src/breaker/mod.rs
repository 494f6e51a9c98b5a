//! The circuit breaker: stops calling what does not work, and finds out when it works again.
//!
//! Use it around every dependency that can fail as a whole. It differs from a [retry](crate::retry),
//! which helps against failures of single calls, and belongs inside one, so that it sees each attempt.
//!
//! [`Breaker`] is the policy, [`BreakerLayer`] puts it into a stack. What it decides, and by which rules,
//! is told at [`portcullis_core::breaker`].
//!
//! | to | there is |
//! |---|---|
//! | begin with rules for a common use | [`BreakerBuilder::preset`] |
//! | open by failures in a row, by their share of the last calls or seconds, by kind | [`consecutive_failures`](BreakerBuilder::consecutive_failures), [`failure_ratio`](BreakerBuilder::failure_ratio), [`time_window`](BreakerBuilder::time_window), [`failures_of`](BreakerBuilder::failures_of) |
//! | open when answers are right but too slow | [`slow_calls`](BreakerBuilder::slow_calls) |
//! | open when callers give up on calls that hang | [`hung_after`](BreakerBuilder::hung_after) |
//! | come back step by step | [`ramp`](BreakerBuilder::ramp) |
//! | try it out before it refuses anything | [`mode`](BreakerBuilder::mode) with [`Mode::Shadow`] or [`Mode::EnforcePercent`] |
//! | spare a dependency retries, but no first attempts | [`only_retries`](BreakerBuilder::only_retries) |
//! | have replicas stand in for each other | [`BreakerGroup`] |
//! | have a breaker for each host, tenant or route | [`KeyedBreaker`], in [`keyed`] |
//! | change rules while calls flow | [`Breaker::reconfigure`] |
//! | have rules in a file | the module `config`, with the feature `serde` |
//! | hear when something changes | [`event`](crate::event), [`metrics`](crate::metrics), and the module `trace` |
//! | take over by hand | [`isolate`](Breaker::isolate), [`force_close`](Breaker::force_close), [`trip`](Breaker::trip), [`reset`](Breaker::reset), [`release`](Breaker::release) |
//! | look | [`Breaker::status`], and [`Rejection::reason`](crate::Rejection::reason) on who was refused |
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! use portcullis::{BoxError, Breaker, BreakerLayer, Rejection, breaker::State};
//! use std::time::Duration;
//! use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
//!
//! let breaker = Breaker::builder("inventory").consecutive_failures(3).build()?;
//! let mut service = ServiceBuilder::new()
//!     .layer(BreakerLayer::new(breaker.clone()))
//!     .service(service_fn(|ok: bool| async move { if ok { Ok(()) } else { Err(BoxError::from("down")) } }));
//!
//! for _ in 0..3 {
//!     service.ready().await?.call(false).await.unwrap_err();
//! }
//! let error = service.ready().await?.call(true).await.unwrap_err();
//! let rejection = error.downcast_ref::<Rejection>().expect("refused by the breaker");
//! assert!(rejection.retry_after().is_some_and(|wait| wait <= Duration::from_secs(5)));
//!
//! tokio::time::sleep(Duration::from_secs(5)).await;
//! for _ in 0..3 {
//!     service.ready().await?.call(true).await?; // probes
//! }
//! assert_eq!(breaker.state(), State::Closed);
//! # Ok(()) }
//! ```

mod builder;
mod by_hand;
mod driver;
mod group;
pub mod keyed;
mod layer;
mod measure;
mod policy;
mod saved;
mod service;
mod setters;
mod snapshot;
mod ticket;
mod world;

pub use builder::BreakerBuilder;
pub use group::BreakerGroup;
pub use keyed::{KeyedBreaker, KeyedBreakerBuilder, KeyedBreakerLayer};
pub use layer::BreakerLayer;
pub use policy::Breaker;
pub use portcullis_core::breaker::{
    Cause, Config, DEFAULT_BUCKETS, DEFAULT_CONSECUTIVE_FAILURES, DEFAULT_FAILURE_RATIO, DEFAULT_LEASE,
    DEFAULT_MINIMUM_CALLS, DEFAULT_OPEN_CAP, DEFAULT_OPEN_FACTOR, DEFAULT_OPEN_FOR, DEFAULT_OPEN_JITTER,
    DEFAULT_OPEN_RESET_AFTER, DEFAULT_PERMITS, DEFAULT_SLOW_RATIO, DEFAULT_SPAN, DEFAULT_SUCCESSES,
    DEFAULT_WINDOW, Mode, OpenTime, Opening, Preset, Seen, SlowRule, State, Status, TimeRule, Transition,
    TripRule, WindowStatus,
};
pub use service::BreakerService;
pub use ticket::BreakerTicket;

/// The response future of [`BreakerService`].
pub type ResponseFuture<F, P, Cx, Req> = crate::protocol::ResponseFuture<F, P, Cx, BreakerTicket, Req>;
