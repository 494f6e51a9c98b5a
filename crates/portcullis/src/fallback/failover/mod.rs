//! Several services for one thing, in an order: the first that can, answers.
//!
//! For dependencies that can stand in for each other: providers of a model, regions, a primary and its replica.
//! Each is a whole stack of its own, with its own breaker and timeouts: an open breaker is passed over in no
//! time, and a provider that hangs costs no more than its timeout. It differs from a balancer, which spreads calls
//! over equals: here, the second gets only what the first could not do.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), portcullis::BoxError> {
//! use portcullis::{BoxError, Breaker, BreakerLayer, Timeout, TimeoutLayer, fallback::Failover};
//! use std::time::Duration;
//! use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
//!
//! /// The stack of a provider that answers after so many milliseconds.
//! fn provider(
//!     name: &'static str,
//!     millis: u64,
//! ) -> Result<
//!     impl Service<String, Response = String, Error = BoxError, Future: Send> + Clone + Send + 'static,
//!     BoxError,
//! > {
//!     let client = service_fn(move |prompt: String| async move {
//!         tokio::time::sleep(Duration::from_millis(millis)).await;
//!         Ok::<_, BoxError>(format!("{name}: {prompt}"))
//!     });
//!     Ok(ServiceBuilder::new()
//!         .layer(BreakerLayer::new(Breaker::new(name)))
//!         .layer(TimeoutLayer::new(Timeout::attempt(name, Duration::from_millis(200))?))
//!         .service(client))
//! }
//!
//! let service = Failover::builder("ai")
//!     .provider("hangs", provider("hangs", 60_000)?)
//!     .provider("well", provider("well", 50)?)
//!     .build()?;
//! assert_eq!(service.oneshot("hello".to_owned()).await?, "well: hello");
//! # Ok(()) }
//! ```
//!
//! # When the next is asked
//!
//! After a failure of the kinds, and after refusals, that the [`Config`](super::Config) covers, as with a
//! [fallback](super). Not when the request cannot be sent again, and not after its
//! [deadline](crate::Protocol::deadline). The answer of the last that was asked is the call's, whatever it is. A
//! failed response is dropped before the next provider is called.

mod builder;
mod future;
mod policy;
mod service;

pub use builder::FailoverBuilder;
pub use future::ResponseFuture;
pub use policy::{FailoverStatus, ProviderStatus};
pub use service::Failover;
