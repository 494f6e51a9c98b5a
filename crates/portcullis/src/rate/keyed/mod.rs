//! A rate limit per key: per tenant, address or route.

mod builder;
mod by;
mod one;
mod policy;

pub use builder::KeyedRateLimitBuilder;
pub use by::ByKey;
pub use policy::{KeyedRateLimit, KeyedRateLimitStatus};
