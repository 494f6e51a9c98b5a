//! The fallback: something else in place of a call that failed.
//!
//! Use it where an answer that is not quite right is better than none: a price of yesterday, an empty list of
//! recommendations, the next provider. Not where the caller must know: a payment that did not go through has
//! no substitute.
//!
//! What is answered is a value ([`FallbackLayer::value`]), what a function makes of the reason
//! ([`FallbackLayer::function`]), over HTTP a response of one's own (`FallbackLayer::response`), or what another service answers to the same request
//! ([`FallbackLayer::service`]). For several services of one type in an order there is [`Failover`]. It differs
//! from a retry, which asks the same dependency again: put the fallback outside of the retry, so that it is the
//! last word, and outside of breakers and timeouts, whose refusals it covers.
//!
//! What was sent may have been processed: a request that goes to another service as well can take effect at
//! both.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), portcullis::BoxError> {
//! use portcullis::{BoxError, Breaker, BreakerLayer, Fallback, FallbackLayer};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! let breaker = Breaker::new("prices");
//! breaker.isolate();
//! let service = ServiceBuilder::new()
//!     .layer(FallbackLayer::value(Fallback::new("prices"), |_why| 99))
//!     .layer(BreakerLayer::new(breaker))
//!     .service(service_fn(|item: u32| async move { Ok::<_, BoxError>(item + 1) }));
//!
//! assert_eq!(service.oneshot(1).await?, 99);
//! # Ok(()) }
//! ```
//!
//! # What is covered
//!
//! Failures of all kinds but validation and data loss, and refusals by policies below; see [`Config`]. An error
//! of readiness is a failure too. What is not covered, and a request that cannot be sent twice, is answered as
//! it is. When the substitute fails, its failure is the answer.
//!
//! A response is judged by its head: what fails later in a body that streams is not covered.

mod builder;
mod cover;
pub mod failover;
mod future;
mod instead;
mod layer;
mod measure;
mod policy;
#[cfg(feature = "http")]
mod response;
mod service;
mod why;

pub use builder::FallbackBuilder;
pub use failover::Failover;
pub use future::ResponseFuture;
pub use instead::{Function, Instead, Keep, Keeping, Other, Value};
pub use layer::FallbackLayer;
pub use measure::FallbackStatus;
pub use policy::Fallback;
pub use portcullis_core::fallback::Config;
#[cfg(feature = "http")]
pub use response::{Respond, ResponseLayer, WithRoom, WithRoomFuture};
pub use service::FallbackService;
pub use why::Why;
