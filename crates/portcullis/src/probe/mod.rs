//! Probing a dependency in the background, so that its state is known before a user finds out.
//!
//! [`Probe`] is the policy: it asks at jittered intervals, faster while the answer is bad, and counts the
//! dependency as down or up after some results in a row. It can feed a [breaker](crate::breaker): down
//! opens it and keeps it open, up closes it without waiting for callers to try.
#![cfg_attr(feature = "http", doc = "It is a check in the [health document](crate::health).")]
//!
//! [`ProbeLayer`] asks through the very service it is put in front of; [`Probe::spawn`] asks by any
//! future.
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

mod builder;
mod layer;
mod policy;
mod service;
mod task;

pub use builder::ProbeBuilder;
pub use layer::ProbeLayer;
pub use policy::{
    Config, DEFAULT_INTERVAL, DEFAULT_INTERVAL_WHEN_DOWN, DEFAULT_JITTER, DEFAULT_TIMEOUT, Probe, ProbeStatus,
};
pub use portcullis_core::health::{DEFAULT_DOWN_AFTER, DEFAULT_UP_AFTER, Thresholds};
pub use service::ProbeService;
