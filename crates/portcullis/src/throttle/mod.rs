//! The throttle: a client that is refused much holds back by itself.
//!
//! Use it in front of a dependency that refuses what is too much for it, by a quota or because it is overloaded. A
//! refusal costs the dependency something too; when all clients go on asking, it does nothing else. A client with a
//! throttle sends as many requests as are accepted, and [as many again](Config::k), and refuses the others itself,
//! at once and for nothing. It needs no number from anybody: neither the capacity nor the other clients.
//!
//! It differs from a [breaker](crate::breaker) in that there is no state: a dependency that takes half of what is sent
//! gets that half and some more, for as long as it lasts, where a breaker lets all through or nothing. And it differs
//! from a [rate limit](crate::rate) in that the rate is found out. Not for a dependency that fails: an error in its
//! work says that it took the request. Not for requests without an end of their own, such as a subscription over a
//! protocol of which only the end is seen.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! use portcullis::{BoxError, Boxed, Failure, FailureKind, PolicyKind, Rejection, Throttle, ThrottleLayer, Verdict};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! let throttle = Throttle::builder("search").seed(7).build()?;
//! let full = |_: Result<&(), &BoxError>| Some(Verdict::from(Failure::new(FailureKind::RateLimited)));
//! let service = ServiceBuilder::new()
//!     .layer(ThrottleLayer::new(throttle.clone()).protocol(Boxed::default().classify(full)))
//!     .service(service_fn(|(): ()| async { Err::<(), BoxError>("429".into()) }));
//!
//! let mut held_back = 0;
//! for _ in 0..1000 {
//!     let error = service.clone().oneshot(()).await.unwrap_err();
//!     let refusal = error.downcast_ref::<Rejection>();
//!     held_back += refusal.filter(|refusal| refusal.kind() == PolicyKind::Throttle).map_or(0, |_| 1);
//! }
//! assert!((850..950).contains(&held_back), "nine of ten: {held_back}");
//! assert_eq!(throttle.status().chance, 0.9);
//! # Ok(()) }
//! ```
//!
//! # What is counted
//!
//! - **A request** is every call that comes here, with those that are held back: a further attempt of a
//!   [retry](crate::retry) above is one more. Of requests in flight those count that have had no answer for a
//!   sixtieth of the window (up to two: 2 to 4 s by default), so that a dependency that hangs is seen before its
//!   calls time out.
//! - **Accepted** is every call that succeeded, and every one that failed in a way that is none of
//!   [`refused_by`](Config::refused_by): by default those are timeouts, failed connections, and answers that say
//!   unavailable, rate-limited or exhausted. Over HTTP and gRPC it is known as soon as the head of the response says
//!   so, and a stream may then run for hours.
//! - **Neither** is a call that says nothing about the dependency: one that another policy below has refused, or that
//!   was dropped before its end. It is as if it had not been made.
//!
//! So where a timeout is to count, put it below the throttle: from above, it drops the call.
//!
//! Who is held back is drawn by lot, with the chance `(requests - k * accepted) / (requests + 1)`.
//!
//! # Where to put it
//!
//! Below retries, so that each attempt counts, and above a breaker, bulkhead or timeout. Its refusal is not retried,
//! and is no failure to a breaker around it. One throttle stands for one dependency; where requests matter unequally,
//! take one for each priority ([`KeyedThrottle`]): each holds back by what happens to its own, and a dependency that
//! refuses the least important first is helped to do so.
//!
//! # After an outage
//!
//! One in ten calls goes through whatever was seen ([`max_share`](Config::max_share)), and their success raises the
//! share again. After an outage as long as the window or longer, all goes through again in two windows; with k = 3 in
//! little more than one, with 1.5 in three, and with 1.1 in a dozen. When nobody calls, the window empties by itself, and the next call finds nothing.
//!
//! # Defaults
//!
//! k = 2 over 2 min, at most 90 % held back, from 10 requests in the window on. Less k saves the dependency more
//! work, and learns later of its recovery. See the [presets](Preset).
//!
//! # Cancellation
//!
//! Dropping a call at any point counts it as if it had not been made. Panics of the inner service go on their way, and
//! count as accepted unless [`refused_by`](Config::refused_by) says otherwise.
//!
//! # Cost
//!
//! One look at the coarse clock, and two counts on lines of the thread's own. Nothing is locked or allocated.

mod builder;
mod common;
mod keyed;
mod layer;
mod measure;
mod picks;
mod policy;
mod saved;
mod service;
mod setters;
mod ticket;

pub use builder::ThrottleBuilder;
pub use keyed::{KeyedThrottle, KeyedThrottleBuilder, KeyedThrottleStatus};
pub use layer::ThrottleLayer;
pub use measure::ThrottleStatus;
pub use picks::Throttles;
pub use policy::Throttle;
pub use portcullis_core::throttle::{
    Config, DEFAULT_K, DEFAULT_MAX_SHARE, DEFAULT_MIN_REQUESTS, DEFAULT_REFUSED_BY, DEFAULT_WINDOW, Preset,
};
pub use service::ThrottleService;
pub use ticket::ThrottleTicket;

/// The response future of [`ThrottleService`].
pub type ResponseFuture<F, P, Cx, Req> = crate::protocol::ResponseFuture<F, P, Cx, ThrottleTicket, Req>;
