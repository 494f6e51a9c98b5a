//! The cache: answers that are kept for calls of the same key.
//!
//! Use it where the same is asked for again and again and may be a little old, such as prices, permissions, or what a
//! page is put together from. Not where each answer is for one call alone, where an answer must be of this moment, or
//! where it is for one user and the key does not say for whom.
//!
//! It differs from coalescing, which shares what one call comes to among those that are made at the same time, and
//! keeps nothing. A cache does that too: a thousand calls for what is not there make one.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), portcullis::BoxError> {
//! use portcullis::{BoxError, Cache, CacheLayer, keyed::by};
//! use std::time::Duration;
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! let prices = Cache::<Box<str>, u32>::builder("prices")
//!     .ttl(Duration::from_secs(10))
//!     .stale_while_revalidate(Duration::from_secs(5))
//!     .stale_if_error(Duration::from_secs(3600))
//!     .build()?;
//! let service = ServiceBuilder::new()
//!     .layer(CacheLayer::new(prices.clone()).by(by::text(|item: &String| Some(item))))
//!     .service(service_fn(|item: String| async move { Ok::<_, BoxError>(item.len() as u32) }));
//!
//! for _ in 0..3 {
//!     assert_eq!(service.clone().oneshot("apple".to_owned()).await?, 5);
//! }
//! assert_eq!((prices.status().misses, prices.status().hits), (1, 2));
//! # Ok(()) }
//! ```
//!
//! # For how long
//!
//! What is kept is fresh for its [`ttl`](Config::ttl), or for what [`CacheBuilder::ttl_of`] says, less a jitter, so that
//! what was kept together is not fetched together. After that it may be served for two windows more, side by side:
//!
//! - [while another is fetched](Config::stale_while_revalidate): a caller gets what is there at once, and his request
//!   is sent in the background, once for all, in bounded number and time. That ends when the last handle of the cache is
//!   dropped;
//! - [when the call for another fails](Config::stale_if_error), in chosen ways, or is refused by an open breaker below.
//!
//! Errors are never kept. Responses that say that there is nothing are, if [asked for](Config::negative_ttl).
//!
//! # Where it stands
//!
//! On a client outside of everything but a fallback: what is kept is served whatever is below. The layer is always
//! ready, and a call that is made waits for its service itself. On a server after health.
//!
//! # HTTP
//!
//! [`CacheLayer::http`] keeps answers to `GET` and `HEAD`, whose body is read up to a cap. What is private is never
//! kept, and headers say for how long if [asked for](CacheLayer::honour_headers): see [`HttpRules`].
//!
//! ```
//! # #[cfg(feature = "http")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), portcullis::BoxError> {
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use portcullis::{BoxError, Cache, CacheLayer, cache};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//!
//! let pages = Cache::builder("pages").max_weight(64 * 1024 * 1024, cache::bytes).build()?;
//! let client = ServiceBuilder::new()
//!     .layer(CacheLayer::http(pages.clone()).honour_headers())
//!     .service(service_fn(|_: Request<Full<Bytes>>| async {
//!         Ok::<_, BoxError>(Response::builder().header("cache-control", "max-age=60").body(Full::from("page"))?)
//!     }));
//!
//! for _ in 0..2 {
//!     client.clone().oneshot(Request::get("http://shop/").body(Full::default())?).await?;
//! }
//! assert_eq!(pages.status().hits, 1);
//! # Ok(()) }
//! # #[cfg(not(feature = "http"))]
//! # fn main() {}
//! ```

mod builder;
mod by_hand;
mod entry;
mod future;
#[cfg(feature = "http")]
mod http;
mod layer;
mod lead;
mod measure;
mod policy;
mod protocol;
mod refresh;
mod rules;
mod service;
mod shared;
mod store;
mod stripes;
mod why;

pub use builder::CacheBuilder;
pub use by_hand::Call;
pub use future::ResponseFuture;
#[cfg(feature = "http")]
pub use http::{ByUri, HttpRules};
pub use layer::CacheLayer;
pub use measure::CacheStatus;
pub use policy::Cache;
pub use portcullis_core::cache::{Config, Preset};
pub use protocol::CacheProtocol;
pub use rules::{Ask, Keep, Lasts, Plain, Rules};
pub use service::CacheService;

use std::hash::Hash;

/// What a cache can keep something by. There is nothing to implement.
pub trait Key: Hash + Eq + Clone + Send + Sync + 'static {}

impl<K: Hash + Eq + Clone + Send + Sync + 'static> Key for K {}

/// What a cache can keep. There is nothing to implement.
pub trait Value: Clone + Send + Sync + 'static {}

impl<V: Clone + Send + Sync + 'static> Value for V {}

/// About how many bytes of memory an entry of HTTP holds: what to weigh by.
#[cfg(feature = "http")]
pub fn bytes<K: AsRef<str>>(key: &K, response: &crate::share::SharedResponse) -> u64 {
    key.as_ref().len().saturating_add(response.size()) as u64
}
