//! The circuit breaker: stops calling what does not work, and finds out when it works again.
//!
//! Use it around every dependency that can fail as a whole. It differs from a [retry](crate::retry),
//! which helps against failures of single calls, and belongs inside one, so that it sees each attempt.
//!
//! [`Breaker`] is the policy, [`BreakerLayer`] puts it into a stack. What it decides, and by which rules,
//! is told at [`portcullis_core::breaker`].
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
//! assert_eq!(rejection.retry_after(), Some(Duration::from_secs(5)));
//!
//! tokio::time::sleep(Duration::from_secs(5)).await;
//! for _ in 0..3 {
//!     service.ready().await?.call(true).await?; // probes
//! }
//! assert_eq!(breaker.state(), State::Closed);
//! # Ok(()) }
//! ```

mod builder;
mod layer;
mod policy;
mod service;
mod ticket;

pub use builder::BreakerBuilder;
pub use layer::BreakerLayer;
pub use policy::Breaker;
pub use portcullis_core::breaker::{
    Config, DEFAULT_CONSECUTIVE_FAILURES, DEFAULT_FAILURE_RATIO, DEFAULT_LEASE, DEFAULT_MINIMUM_CALLS,
    DEFAULT_OPEN_FOR, DEFAULT_PERMITS, DEFAULT_SUCCESSES, DEFAULT_WINDOW, Preset, State, Status,
};
pub use service::BreakerService;
pub use ticket::BreakerTicket;

/// The response future of [`BreakerService`].
pub type ResponseFuture<F, P, Cx, Req> = crate::protocol::ResponseFuture<F, P, Cx, BreakerTicket, Req>;
