//! The timeout: a bound on how long a caller waits.
//!
//! Use one around the whole call ([`Timeout::total`]) and, below a retry, one around each attempt
//! ([`Timeout::attempt`]). It differs from tower's `Timeout`: the time in which the inner service is not
//! ready counts too, its refusal is an answer in the layer's protocol, and a call that is ready at once
//! neither reads the clock nor registers a timer. The time counts from when the call is first polled and pending. Then, all
//! calls of a thread share one timer of the runtime: a hundred thousand that are pending hold less memory than
//! they would with a timer each.
//!
//! # Limits
//!
//! One for all calls, that of the policy, which can be changed [while calls flow](Timeout::reconfigure). Or one
//! that [follows](Adaptive) how long calls take: a percentile of the last minute, times a factor, within bounds. Or
//! one of each request's own, by a [function of the request](TimeoutLayer::by) or its
//! [extension](TimeoutLayer::by_extension). There is no timeout by key: what differs by route or tenant is the
//! limit, which is such a function's, and nothing that is counted would have to be kept apart.
//!
//! Calls that end early for other reasons say nothing of how long calls take, and are not counted by an adaptive
//! limit: those that fail, and those that are dropped by the caller. Calls that were ended because of the limit
//! are counted as having taken as long as that, so that it rises when they become many; calls that were ready at once, as
//! having taken no time.
//!
//! # Modes
//!
//! In [`Mode::Shadow`](crate::Mode::Shadow) a call that would have been late is counted, told as an event, and goes
//! on; with [`Mode::EnforcePercent`](crate::Mode::EnforcePercent) lots are drawn when the time is over. In
//! [`Mode::Disabled`](crate::Mode::Disabled) no timer is armed.
//!
//! # Readiness
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
mod limits;
mod measure;
mod policy;
mod service;
mod ticket;
mod usual;
mod watch;
mod word;

pub use portcullis_core::timeout::{
    Adaptive, Config, DEFAULT_AT_LEAST, DEFAULT_FACTOR, DEFAULT_LIMIT, DEFAULT_MIN_CALLS, DEFAULT_QUANTILE,
    LONGEST, MIN_FACTOR, Preset, SHORTEST,
};

pub use builder::TimeoutBuilder;
pub use future::ResponseFuture;
pub use layer::{ByRequest, TimeoutLayer};
#[cfg(feature = "http")]
pub use limits::{InExtension, Limit};
pub use limits::{Limits, OfPolicy};
pub use measure::TimeoutStatus;
pub use policy::Timeout;
pub use service::TimeoutService;
pub use ticket::BodyDeadline;
