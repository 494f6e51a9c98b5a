//! A hedge per key: per host, tenant or method.
//!
//! Use it where one service stands for many things that are fast or slow by themselves, such as a client of
//! many hosts. With one [`Hedge`](crate::Hedge) for all of them, the delay is that of the slow hosts, of which
//! the fast ones have no use, and a host that hangs spends the budget of the others; here each has a delay and
//! a budget of its own. A host that is called seldom takes a while until its delay is known: it waits for the
//! [initial](super::Percentile::initial) one until then, and again when it was forgotten.
//!
//! [`KeyedHedge`] is the policy; [`KeyedHedge::by`] tells a [`HedgeLayer`](crate::HedgeLayer) what requests are
//! keyed by. All keys share one [`Config`](super::Config), which can be changed while calls flow.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), portcullis::BoxError> {
//! use portcullis::{BoxError, HedgeLayer, hedge::KeyedHedge, keyed::by};
//! use std::time::Duration;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! let hosts = KeyedHedge::builder("upstream").fixed_delay(Duration::from_millis(20)).max_keys(10_000).build()?;
//! let service = ServiceBuilder::new()
//!     .layer(HedgeLayer::by(hosts.by(by::text(|host: &String| Some(host)))).idempotent())
//!     .service(service_fn(|host: String| async move {
//!         tokio::time::sleep(Duration::from_millis(if host == "slow" { 50 } else { 5 })).await;
//!         Ok::<_, BoxError>(())
//!     }));
//!
//! for host in ["slow", "fast", "slow"] {
//!     service.clone().oneshot(host.to_owned()).await?;
//! }
//! assert_eq!(hosts.get("slow").expect("it was called").status().sent, 2);
//! assert_eq!(hosts.get("fast").expect("it was called").status().sent, 0);
//! assert_eq!(hosts.status().all.calls, 3);
//! # Ok(()) }
//! ```
//!
//! # How many keys
//!
//! Keys come from requests, so there may be any number of them. At most
//! [`max_keys`](KeyedHedgeBuilder::max_keys) are kept. A key is forgotten when it was not used for
//! [`idle_after`](KeyedHedgeBuilder::idle_after), or when another needs its place; see
//! [`keyed`](crate::keyed#who-goes). It stays while a call of it is under way, while its hedge is held, and
//! until its budget is full again, or else a flood of keys would give who spent theirs a new one. Time fills a
//! share; the budgets that only calls fill go when they are idle.
//!
//! Keys for which there is no room share one hedge, [`KeyedHedge::overflow`], which is seen under a name of
//! its own, "upstream/(other)".
//!
//! # What it costs
//!
//! A call looks its key up under the read lock of one of many shards, and allocates nothing. A key takes some
//! two and a half kilobytes, most of it its budget, and six more where the delay is a percentile. All threads that call a
//! key count in one place.

mod builder;
mod policy;
mod status;
#[cfg(test)]
mod tests;

pub use builder::KeyedHedgeBuilder;
pub use policy::KeyedHedge;
pub use status::KeyedHedgeStatus;
