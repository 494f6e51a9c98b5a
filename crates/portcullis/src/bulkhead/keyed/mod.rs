//! A bulkhead per key: per tenant, host or route, within one limit for all.
//!
//! Use it where many share what can only do so much at a time, and one of them must not take all of it: the tenants of
//! a server, the routes of a client. A [`Bulkhead`](crate::Bulkhead) for all of them is full for all when one floods it;
//! one for each of them limits each, and not what comes of them together. Where there are priorities and no keys, use
//! [`Bulkhead`](crate::Bulkhead), which costs a sixth.
//!
//! [`KeyedBulkhead`] is the policy, and [`KeyedBulkheadLayer`] puts it into a stack.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), portcullis::BoxError> {
//! use portcullis::{BoxError, KeyedBulkhead, KeyedBulkheadLayer, Reason, Rejection, keyed::by};
//! use std::time::Duration;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! let tenants = KeyedBulkhead::builder("tenants").overall(20).per_key(2).build()?;
//! let service = ServiceBuilder::new()
//!     .layer(KeyedBulkheadLayer::new(tenants.clone(), by::text(|tenant: &String| Some(tenant))))
//!     .service(service_fn(|tenant: String| async move {
//!         tokio::time::sleep(Duration::from_secs(1)).await;
//!         Ok::<_, BoxError>(tenant)
//!     }));
//!
//! let calls = ["a"; 2].map(|tenant| tokio::spawn(service.clone().oneshot(tenant.to_owned())));
//! tokio::task::yield_now().await;
//! let error = service.clone().oneshot("a".to_owned()).await.unwrap_err();
//! let rejection = error.downcast_ref::<Rejection>().expect("refused");
//! assert_eq!(&**rejection.policy(), "tenants/a");
//! assert!(matches!(rejection.reason(), Reason::KeyFull { limit: 2, in_flight: 2, .. }));
//!
//! assert_eq!(service.oneshot("b".to_owned()).await?, "b");
//! for call in calls {
//!     assert_eq!(call.await??, "a");
//! }
//! # Ok(()) }
//! ```
//!
//! # Who gets a permit
//!
//! There are never more in use than [`overall`](KeyedBulkheadBuilder::overall), nor by one key than
//! [`per_key`](KeyedBulkheadBuilder::per_key). What is between them is given out fairly.
//!
//! **With a [queue](KeyedBulkheadBuilder::queue)** a key on its own may use everything. When others come, a free permit
//! goes to the key that holds the least of those that wait (max-min fairness), and of those that hold the same to the
//! one that was served longest ago; within a key, it is first come, first served. Nobody is served past who is next,
//! though there were room for him: a heavy call is not starved by light ones. A key that may have no more by its own
//! limit is not next, and stands in nobody's way. When the queue is full, a call of a key with less in it takes the
//! place of the last call of the key with most in it, if that is at least two more.
//!
//! **Without a queue** no key may take everything, or those who come later would find nothing. A key may hold its share:
//! `overall / (n + 1)`, at least 1, where `n` keys hold any, itself among them. And it may hold more, as long as of what
//! it holds and what is free together a ninth stays free. On its own it gets to eight ninths of `overall`: 177 of 200.
//! When others come they find something free, and what it gives back is theirs until all have their shares.
//!
//! These are the dynamic threshold of Choudhury and Hahne (1998) with a share that is always there (Kamoun and Kleinrock,
//! 1980), and longest queue drop (McKenney, 1990); see [`portcullis_core::bulkhead::keyed`] for more. What is fair is
//! decided by the permits that are held now. Whoever can make up keys can make up shares: key by what has to be paid for,
//! such as an account.
//!
//! # Who is refused, and how
//!
//! A key that has as much as it may, or as is fair while others want some, is refused with
//! [`KeyFull`](crate::Reason::KeyFull): 429 for HTTP, `RESOURCE_EXHAUSTED` for gRPC. A key that has less is refused when
//! all is full, as by a [`Bulkhead`](crate::Bulkhead): 503. So a client knows whether to slow down, and who looks at
//! the metrics whether there is too little for all. A refusal is in the name of the key, "tenants/a".
//!
//! # How many keys
//!
//! Keys come from requests, so there may be any number of them. At most [`max_keys`](KeyedBulkheadBuilder::max_keys) are
//! kept. A key is forgotten when it was not used for [`idle_after`](KeyedBulkheadBuilder::idle_after), or when another
//! needs its place; see [`keyed`](crate::keyed#who-goes). It stays while a call of it runs or waits; nothing is lost with
//! one that has none. Keys for which there is no room count as one, "tenants/(other)", which happens only when fewer
//! keys may be kept than calls may run and wait. So do requests without a key, as "tenants/(none)": they too are within
//! `overall`. A path that must not be limited, such as a health probe's, belongs outside of the layer.
//!
//! # Cancellation
//!
//! Dropping a call at any point gives back what it holds, or leaves the queue; permits that it was just handed go to who
//! is next. The same goes for a panic. Where a response has a body, the permits are held until that ends.
//!
//! # What it costs
//!
//! A call looks its key up under the read lock of one of many shards, and takes one short lock that all keys share, when
//! it comes and when it ends; it allocates nothing. What is fair depends on what all hold, so all calls write one place
//! in any case. The lock is never held while anybody is woken or told.
//!
//! With a key of 16 bytes a call takes some 645 instructions, half of them for the key; with a million keys it is the
//! same. A key takes less than 256 bytes.

mod builder;
mod common;
mod future;
mod layer;
mod measure;
mod one;
mod policy;
mod service;
mod ticket;
mod waiting;

pub use builder::KeyedBulkheadBuilder;
pub use future::ResponseFuture;
pub use layer::KeyedBulkheadLayer;
pub use measure::{KeyStatus, KeyedBulkheadStatus};
pub use policy::KeyedBulkhead;
pub use portcullis_core::bulkhead::keyed::{Config, Preset};
pub use service::KeyedBulkheadService;
pub use ticket::KeyedBulkheadTicket;
