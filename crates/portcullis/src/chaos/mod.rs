//! Chaos: faults on purpose, to see that the other policies do what they are for.
//!
//! Use it in tests, on a staging system, or on a small share of live traffic in a game day: put it innermost,
//! where the dependency is, and breakers, retries and timeouts above meet what it does as if the dependency did
//! it. It is off until it is [enabled](ChaosBuilder::enabled), in code, by [`Chaos::set_enabled`] at run time, or
//! for single requests [by a header](ChaosLayer::header).
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), portcullis::BoxError> {
//! use portcullis::{BoxError, Chaos, ChaosLayer, FailureKind, chaos::Latency};
//! use std::time::Duration;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! let chaos = Chaos::builder("inventory")
//!     .latency(0.1, Latency::Exponential(Duration::from_millis(200)))
//!     .error(1.0, FailureKind::Unavailable)
//!     .build()?;
//! let service = ServiceBuilder::new()
//!     .layer(ChaosLayer::new(chaos.clone()))
//!     .service(service_fn(|n: u32| async move { Ok::<_, BoxError>(n + 1) }));
//!
//! assert_eq!(service.clone().oneshot(1).await?, 2);
//! chaos.set_enabled(true);
//! let error = service.oneshot(1).await.unwrap_err();
//! assert_eq!(error.to_string(), "chaos 'inventory' made it fail: unavailable");
//! # Ok(()) }
//! ```
//!
//! # Faults
//!
//! | fault | what a call meets |
//! |---|---|
//! | [latency](ChaosBuilder::latency) | its answer comes later: fixed, uniform, exponential or normal |
//! | [error](ChaosBuilder::error) | a failure of a kind: an error that is judged as one, or a response with the status that fits; the dependency is not called |
//! | [response](ChaosBuilder::response) | the response that [the layer was given](ChaosLayer::responding); the dependency is not called |
//! | [panic](ChaosBuilder::panic) | a panic, when its future is polled |
//! | [hang](ChaosBuilder::hang) | no answer, ever |
//! | [cut body](ChaosBuilder::cut_body) | the body of its response breaks off; HTTP and gRPC |
//! | [bandwidth](ChaosBuilder::bandwidth) | the body of its response comes slowly; HTTP and gRPC |
//!
//! Each fault is drawn for every call, on its own. With [`by_key`](ChaosLayer::by_key) it is drawn for every key
//! instead: the same customers have the same trouble.

mod builder;
mod choice;
mod future;
mod layer;
mod measure;
mod policy;
mod respond;
mod service;
mod ticket;

pub use builder::ChaosBuilder;
#[cfg(feature = "http")]
pub use choice::ByHeader;
pub use choice::{All, ByKey, Choice, Choose, OnlyIf};
pub use future::ResponseFuture;
pub use layer::ChaosLayer;
pub use measure::ChaosStatus;
pub use policy::Chaos;
pub use portcullis_core::chaos::{Config, Fault, FaultKind, Latency, MAX_FAULTS, Schedule};
pub use respond::{NoResponse, Respond};
pub use service::ChaosService;
pub use ticket::ChaosTicket;
