//! Probing a dependency in the background, so that its state is known before a user finds out.
//!
//! [`Probe`] is the policy: it asks at jittered intervals, faster while the answer is bad, and counts the
//! dependency as down or up after some results in a row. It can feed a [breaker](crate::breaker): down
//! opens it and keeps it open, up closes it without waiting for callers to try.
//!
//! A [check of a monitor](crate::monitor) only tells how something is, of which every result counts.
#![cfg_attr(feature = "http", doc = "It is a check in the [health document](crate::health).")]
//!
//! It watches, [feeds](ProbeBuilder::feed) or [gates](ProbeBuilder::gate) a breaker.
//!
//! [`ProbeLayer`] asks through the very service it is put in front of; [`Probe::spawn`] asks by any
//! future, and [`Probe::spawn_check`] by a ready-made [check](crate::check). With a [`PassiveLayer`] the results of
//! calls join those of the probe.
//!
//! A probe stops when all its handles are dropped, and with them the services it is in: an endpoint that is no longer
//! discovered leaves no task behind.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! use portcullis::{BoxError, Breaker, Probe, breaker::State};
//! use std::time::Duration;
//!
//! let breaker = Breaker::new("database");
//! let probe = Probe::builder("database").interval(Duration::from_secs(5)).feed(&breaker).build()?;
//! probe.spawn(|| async { Err::<(), _>(BoxError::from("no answer")) });
//!
//! tokio::time::sleep(Duration::from_secs(20)).await;
//! assert!(!probe.status().up);
//! assert_eq!(breaker.state(), State::Open);
//! # Ok(()) }
//! ```

mod breaker;
mod builder;
mod config;
mod layer;
mod measure;
mod passive;
mod policy;
mod reads;
mod service;
mod state;
mod task;

pub use builder::ProbeBuilder;
pub use config::{Config, DEFAULT_INTERVAL, DEFAULT_INTERVAL_WHEN_DOWN, DEFAULT_JITTER, DEFAULT_TIMEOUT};
pub use layer::ProbeLayer;
pub use measure::ProbeStatus;
pub use passive::{PassiveLayer, PassiveService, PassiveTicket};
pub use policy::Probe;
pub use portcullis_core::health::{DEFAULT_DOWN_AFTER, DEFAULT_UP_AFTER};
pub use reads::{Head, Reads};
pub use service::ProbeService;

/// The response future of [`PassiveService`].
pub type ResponseFuture<F, P, Cx, Req> = crate::protocol::ResponseFuture<F, P, Cx, PassiveTicket, Req>;
