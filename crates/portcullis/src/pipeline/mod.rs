//! A whole stack from its policies: in the one right order, explained, and refused where it cannot be right.
//!
//! The patterns protect each other only in the right order: a breaker inside of the retry sees every attempt, one outside
//! of it sees a call that failed three times as one failure. [`Pipeline::client`] and [`Pipeline::server`] take policies in
//! any order, and put each where it belongs. What comes out is a [`Layer`](tower_layer::Layer) like any other, and the
//! same as the layers written by hand: nothing is boxed, and nothing is between them.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), portcullis::BoxError> {
//! use portcullis::{Breaker, BoxError, Bulkhead, Pipeline, RetryPolicy};
//! use std::time::Duration;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! let pipeline = Pipeline::client("inventory")
//!     .breaker(Breaker::new("inventory"))
//!     .retry(RetryPolicy::new("inventory"))
//!     .attempt_timeout(Duration::from_millis(300))
//!     .deadline(Duration::from_secs(2))
//!     .bulkhead(Bulkhead::new("inventory"))
//!     .build()?;
//!
//! let service = ServiceBuilder::new()
//!     .layer(pipeline.clone())
//!     .service(service_fn(|n: u32| async move { Ok::<_, BoxError>(n + 1) }));
//! assert_eq!(service.oneshot(1).await?, 2);
//!
//! let order: Vec<_> = pipeline.explain().order.iter().map(|step| step.place.as_str()).collect();
//! assert_eq!(order, ["deadline", "retry", "breaker", "bulkhead", "attempt_timeout"]);
//! # Ok(()) }
//! ```
//!
//! A place takes a policy's handle, its settings, or its layer, which may have been told more: which calls are idempotent,
//! what a call costs, by which key. Settings become a policy with the pipeline's name.
//!
//! An `Option` of a handle fits too, for [what only the running program knows](Idle).
//!
//! In one line, with the usual settings:
//!
//! ```
//! let pipeline = portcullis::Pipeline::client("inventory").standard().http_client().build()?;
//! # Ok::<(), portcullis::pipeline::PipelineError>(())
//! ```
//!
//! # The order
//!
//! It is one order for both sides, [`Place::ALL`]; each [`Place`] says [why](Place::why) it is there. From outside:
//!
//! - On a **client**: observer, fallback, cache, deadline, coalesce, retry, hedge, the observer's attempts, throttle, rate limit, breaker, bulkhead, adaptive
//!   limit, executor, thread pool, attempt timeout, chaos.
//! - On a **server**: health, observer, drain, fallback, cache, deadline, coalesce, load shedding, rate limit, bulkhead, adaptive
//!   limit, executor, thread pool, chaos.
//!
//! # What is refused
//!
//! [`build`](PipelineBuilder::build) refuses what cannot be meant, with the names of both policies and the reason
//! ([`Wrong`]): an attempt timeout longer than the deadline, retries and hedges with a budget each, hedges where nobody
//! says which calls may be made twice, two policies for one place, a policy of the other side. What can be meant and still
//! [never happens](Never) is told by [`explain`](Pipeline::explain), with the settings as they are at that moment.
//!
//! ```
//! use portcullis::{Pipeline, pipeline::{PipelineError, Wrong}};
//! use std::time::Duration;
//!
//! let pipeline = Pipeline::client("slow").deadline(Duration::from_secs(1)).attempt_timeout(Duration::from_secs(2));
//! let PipelineError::Wrong(wrong) = pipeline.build().unwrap_err() else { panic!() };
//! assert!(matches!(wrong, Wrong::AttemptBeyondDeadline { .. }));
//! assert_eq!(
//!     wrong.to_string(),
//!     "attempt_timeout 'slow' does not go with deadline 'slow': its limit of 2s is longer than the 1s of the whole call",
//! );
//! ```
//!
//! # When not to use it
//!
//! Layers of one's own between these, another order on purpose, a stack that differs by route: write a
//! [`ServiceBuilder`](https://docs.rs/tower/latest/tower/struct.ServiceBuilder.html) then. Policies of a pipeline and by
//! hand are the same, and can be in both. A [`ServiceConfig`](crate::ServiceConfig) differs from a pipeline by being of
//! gRPC's form, with rules for each method.

mod accepts;
mod attempts;
mod builder;
mod dialect;
mod error;
mod explanation;
mod kept;
mod layer;
mod making;
mod observed;
mod optional;
mod plan;
mod repeats;
mod sides;
pub mod slot;
mod slots;
mod times;

pub use accepts::{Absent, IntoPart};
pub use builder::PipelineBuilder;
pub use dialect::{Dialect, Told};
pub use error::PipelineError;
pub use explanation::Explanation;
pub use layer::Pipeline;
pub use making::Making;
pub use observed::Attempts;
pub use optional::Idle;
pub use plan::Plan;
pub use portcullis_core::pipeline::{Amplification, Latency, Named, Never, Place, Side, Step, Wrong};
pub use sides::{
    Client, OnSide, STANDARD_ATTEMPT, STANDARD_DEADLINE, Server, StandardClient, StandardServer,
};
pub use slot::Fits;
pub use slots::{Empty, IntoLayers, Slots};

pub(crate) use kept::Kept;
