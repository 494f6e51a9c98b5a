//! Hedging: when an answer takes longer than usual, the request is sent once more, and the first answer
//! counts.
//!
//! Use it for reads of a dependency that is mostly fast and sometimes not, where another attempt has a good
//! chance to meet another replica, connection or moment: a few percent more load then take away most of the
//! tail. It differs from a [retry](crate::retry), which waits for a failure, and from a
//! [timeout](crate::timeout), which gives up. Around a retry or inside one, let both have the same
//! [`RetryBudget`](crate::RetryBudget).
//!
//! Not for what may not be processed twice: of a hedged call two attempts run at once, and both may be
//! processed. A request is hedged only when it says so itself (by its HTTP method, an `Idempotency-Key`, the
//! extension `Idempotent`), or the layer was told by [`idempotent`](HedgeLayer::idempotent) or
//! [`idempotent_if`](HedgeLayer::idempotent_if); all others are sent once. And not for a dependency that is
//! slow because it is saturated: more calls make it slower. The budget holds that in bounds (a fifth of the
//! calls, and ten a second), and a [breaker](crate::breaker) below ends it.
//!
//! # What counts as an answer
//!
//! | an attempt ends with | while others run | when it was the last that ran |
//! |---|---|---|
//! | success; a response whose end is not known yet, as of a stream | is the answer | the same |
//! | a failure that another attempt may not have | is dropped, the next attempt is sent at once | the next attempt is sent; the last failure is returned when there is none |
//! | a [fatal](Config::fatal) failure, a request of the caller's that broke off | is the answer | the same |
//! | a refusal by a layer below, such as an open breaker's | is as if it had not been sent | is returned, unless another attempt's error is known |
//! | an error of readiness, a panic of a hedge | the same as a refusal | the same; the panic goes on |
//!
//! So a failing hedge never ends a call whose first attempt still runs. The dependency's own wish goes before
//! the delay: `Retry-After` or a pushback says when the next attempt is sent, and a pushback that forbids it
//! that there is none. No attempt is sent when the [deadline](crate::protocol::Protocol::deadline) of the
//! call would be over.
//!
//! Below a retry, a hedge makes most of its retries: the next attempt after a failure is sent at once, and
//! without the retry's backoff. The retry sees only what failed in all attempts of the hedge. With `n` attempts
//! here and `m` there the dependency may see `n` × `m` of them, as far as the budget goes.
//!
//! # Cancellation
//!
//! Losers are dropped before the answer is returned: connections and permits are free by then. Dropping the
//! future drops all attempts. A failed response is dropped before the next attempt is sent.
//!
//! # Delay
//!
//! By default as long as 95 of 100 first attempts took lately ([`Percentile`]), and 1 s until a hundred were
//! seen. A first attempt that loses counts with the time it was waited for, so that hedging does not shorten
//! its own delay. A [fixed](Delay::Fixed) delay costs no look at the clock.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! use portcullis::{BoxError, Hedge, HedgeLayer};
//! use std::{sync::atomic::{AtomicU32, Ordering}, time::Duration};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! static ATTEMPTS: AtomicU32 = AtomicU32::new(0);
//!
//! let hedge = Hedge::builder("lookup").fixed_delay(Duration::from_millis(20)).build()?;
//! let service = ServiceBuilder::new()
//!     .layer(HedgeLayer::new(hedge.clone()).idempotent())
//!     .service(service_fn(|key: u32| async move {
//!         if ATTEMPTS.fetch_add(1, Ordering::Relaxed) == 0 {
//!             tokio::time::sleep(Duration::from_secs(3)).await; // a replica that is just collecting garbage
//!         }
//!         Ok::<_, BoxError>(key * 2)
//!     }));
//!
//! let start = tokio::time::Instant::now();
//! assert_eq!(service.oneshot(21).await?, 42);
//! assert!(start.elapsed() < Duration::from_millis(30));
//! assert_eq!(hedge.status().won, 1);
//! # Ok(()) }
//! ```

mod builder;
mod by_hand;
mod call;
mod future;
pub mod keyed;
mod layer;
mod measure;
mod policies;
mod policy;
mod running;
mod service;
mod setters;
mod settings;
mod wait;

pub use builder::HedgeBuilder;
pub use future::ResponseFuture;
pub use keyed::KeyedHedge;
pub use layer::HedgeLayer;
pub use policies::{OnlyIf, Policies};
pub use policy::{Hedge, HedgeStatus};
pub use portcullis_core::hedge::{
    Config, DEFAULT_AT_LEAST, DEFAULT_AT_MOST, DEFAULT_INITIAL, DEFAULT_MAX_ATTEMPTS,
    DEFAULT_MAX_RETRY_AFTER, DEFAULT_QUANTILE, Delay, DelayFn, MAX_ATTEMPTS, Percentile, Preset,
};
pub use service::HedgeService;
