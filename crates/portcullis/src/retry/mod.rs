//! Retrying: calls that failed by chance are made again, as long as that is safe and can be borne.
//!
//! Safe: a request that was never sent, or was refused before any work, may always go again. A request
//! that may have been processed goes again only when it is idempotent: by its HTTP method, by an
//! `Idempotency-Key`, by the extension [`Idempotent`], or because the layer was told so.
//!
//! Borne: each call pays for a share of a retry into a [`RetryBudget`], which bounds what a dead
//! dependency sees. Waits grow and are spread at random. Refusals of this library are not retried.
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

mod budget;
mod builder;
mod call;
mod config;
mod failures;
mod future;
mod layer;
mod measure;
mod policies;
mod policy;
mod replay;
mod service;
mod stop;

pub use budget::RetryBudget;
pub use builder::RetryBuilder;
pub use call::RetryCall;
pub use config::{Config, DEFAULT_MAX_ATTEMPTS, DEFAULT_MAX_RETRY_AFTER};
pub use failures::Failures;
pub use future::ResponseFuture;
pub use layer::RetryLayer;
pub use policies::{OnlyIf, Policies};
pub use policy::{RetryPolicy, RetryStatus};
pub use portcullis_core::retry::*;
pub use replay::{Always, CloneReplay, Idempotency, Never, Replay};
#[cfg(feature = "http")]
pub use replay::{DEFAULT_MAX_BUFFERED, HttpReplay, Idempotent, Rebody, ReplayBody};
pub use service::RetryService;
pub use stop::Stop;
