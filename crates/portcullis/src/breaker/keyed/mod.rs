//! A circuit breaker per key: per host, tenant, route or method.
//!
//! Use it where one service stands for many things that fail by themselves: a client of many hosts, a router
//! of many routes. One [`Breaker`] around all of them would refuse them all when one
//! fails; here the others go on.
//!
//! [`KeyedBreaker`] is the policy, [`KeyedBreakerLayer`] puts it into a stack, and [`KeyBreaker`] is one key of
//! it. All keys share one [`Config`](super::Config), which can be changed while calls flow.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), portcullis::BoxError> {
//! use portcullis::{BoxError, KeyedBreaker, Rejection, breaker::State};
//!
//! let hosts = KeyedBreaker::builder("upstream").consecutive_failures(3).max_keys(10_000).build()?;
//!
//! for _ in 0..3 {
//!     hosts.call("host-a", || async { Err::<(), _>(BoxError::from("down")) }).await.unwrap_err();
//! }
//! let error = hosts.call("host-a", || async { Ok::<_, BoxError>(()) }).await.unwrap_err();
//! let rejection = error.downcast_ref::<Rejection>().expect("refused");
//! assert_eq!(&**rejection.policy(), "upstream/host-a");
//!
//! hosts.call("host-b", || async { Ok::<_, BoxError>(()) }).await?;
//! assert_eq!(hosts.status().in_state(State::Open), 1);
//! # Ok(()) }
//! ```
//!
//! # How many keys
//!
//! Keys come from requests, so there may be any number of them, and some that nobody wants. At most
//! [`max_keys`](KeyedBreakerBuilder::max_keys) are kept. A key is forgotten when it was not used for
//! [`idle_after`](KeyedBreakerBuilder::idle_after), or when another needs its place; see
//! [`keyed`](crate::keyed#who-goes). It stays while a call of it is under way, while a
//! [`KeyBreaker`] of it is held, and while it is not closed: an open key is forgotten only when its time is
//! over and nobody has come since for `idle_after`, one under an override without an end never.
//!
//! Keys for which there is no room share one breaker, [`KeyedBreaker::overflow`], which is seen under a name
//! of its own, "upstream/(other)".
//!
//! # What it costs
//!
//! A call looks its key up under the read lock of one of many shards, and allocates nothing: neither when it
//! is admitted, nor when it is refused. Half of it is the hash, which nobody can choose keys against. With a
//! key of 16 bytes a call takes some 515 instructions and 45 ns, where a [`Breaker`] takes 100 and 17 ns; with
//! a million keys it is the same, but for the memory that may then be in no cache.
//!
//! A healthy key with a text of 16 bytes takes 228 bytes, and one that has opened about 1000. All threads that
//! call a key count in one place: where one key has nearly all calls, a [`Breaker`] of its own is faster.
//!
//! [`Breaker`]: crate::Breaker

mod agenda;
mod all;
mod builder;
mod common;
mod key;
mod layer;
mod one;
mod policy;
mod saved;
mod service;
mod snapshot;
mod status;
#[cfg(test)]
mod tests;
mod ticket;

pub use builder::KeyedBreakerBuilder;
pub use key::KeyBreaker;
pub use layer::KeyedBreakerLayer;
pub use policy::KeyedBreaker;
pub use service::KeyedBreakerService;
pub use status::KeyedStatus;
pub use ticket::KeyedBreakerTicket;

/// The response future of [`KeyedBreakerService`].
pub type ResponseFuture<F, P, Cx, K, Req> =
    crate::protocol::ResponseFuture<F, P, Cx, KeyedBreakerTicket<K>, Req>;
