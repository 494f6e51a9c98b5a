//! The timeout: a bound on how long a caller waits.
//!
//! Use one around the whole call ([`Timeout::total`]) and, below a retry, one around each attempt
//! ([`Timeout::attempt`]). It differs from tower's `Timeout`: the time in which the inner service is not
//! ready counts too, its refusal is an answer in the layer's protocol, and a call that is ready at once
//! neither reads the clock nor registers a timer.
//!
//! The layer is always ready: a call waits for the inner service's readiness itself, so that the wait is
//! timed. Put it outside of balancers and load shedders, which want to see who is not ready.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! use portcullis::{BoxError, Rejection, Timeout, TimeoutLayer};
//! use std::time::Duration;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! let service = ServiceBuilder::new()
//!     .layer(TimeoutLayer::new(Timeout::total("search", Duration::from_millis(300))?))
//!     .service(service_fn(|(): ()| std::future::pending::<Result<(), BoxError>>()));
//!
//! let error = service.oneshot(()).await.unwrap_err();
//! let rejection = error.downcast_ref::<Rejection>().expect("a timeout");
//! assert_eq!(rejection.to_string(), "timeout 'search' had no answer within 300ms (total)");
//! # Ok(()) }
//! ```

mod builder;
mod future;
mod layer;
mod policy;
mod service;
mod ticket;

pub use builder::TimeoutBuilder;
pub use future::ResponseFuture;
pub use layer::TimeoutLayer;
pub use policy::Timeout;
pub use service::TimeoutService;
pub use ticket::BodyDeadline;
