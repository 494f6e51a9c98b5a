//! A retry policy per key: per host, tenant or method.
//!
//! Use it where one service stands for many things that fail by themselves, such as a client of many hosts.
//! With one [`RetryPolicy`](crate::RetryPolicy) for all of them, a host that is down spends the budget of
//! those that are not; here each has a budget of its own.
//!
//! [`KeyedRetry`] is the policy; [`KeyedRetry::by`] tells a [`RetryLayer`](crate::RetryLayer) what requests
//! are keyed by. All keys share one [`Config`](super::Config), which can be changed while calls flow.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), portcullis::BoxError> {
//! use portcullis::{BoxError, RetryLayer, keyed::by, retry::KeyedRetry};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! let hosts = KeyedRetry::builder("upstream").budget_of(0.0, 2).max_keys(10_000).build()?;
//! let service = ServiceBuilder::new()
//!     .layer(RetryLayer::by(hosts.by(by::text(|host: &String| Some(host)))).idempotent())
//!     .service(service_fn(|host: String| async move { Err::<(), _>(BoxError::from("down")) }));
//!
//! for host in ["a", "a", "b"] {
//!     service.clone().oneshot(host.to_owned()).await.unwrap_err();
//! }
//! // What is left of a's budget is no matter of b.
//! assert_eq!(hosts.get("a").expect("it was called").status().retries, 2);
//! assert_eq!(hosts.get("b").expect("it was called").status().retries, 2);
//! assert_eq!(hosts.status().all.retries, 4);
//! # Ok(()) }
//! ```
//!
//! # How many keys
//!
//! Keys come from requests, so there may be any number of them. At most
//! [`max_keys`](KeyedRetryBuilder::max_keys) are kept. A key is forgotten when it was not used for
//! [`idle_after`](KeyedRetryBuilder::idle_after), or when another needs its place; see
//! [`keyed`](crate::keyed#who-goes). It stays while a call of it is under way, while its policy is held, and
//! until its budget is full again, or else a flood of keys would give who spent theirs a new one. Time fills a
//! share; the budgets that only calls fill go when they are idle.
//!
//! Keys for which there is no room share one policy, [`KeyedRetry::overflow`], which is seen under a name of
//! its own, "upstream/(other)".
//!
//! # What it costs
//!
//! A call looks its key up under the read lock of one of many shards, and allocates nothing. A key takes some
//! two kilobytes, most of it its budget. All threads that call a key count in one place.

mod builder;
mod policy;
mod status;
#[cfg(test)]
mod tests;

pub use builder::KeyedRetryBuilder;
pub use policy::KeyedRetry;
pub use status::KeyedRetryStatus;
