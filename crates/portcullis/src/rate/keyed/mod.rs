//! A rate limit per key: per tenant, address or route.

mod builder;
mod policy;

pub use builder::KeyedRateLimitBuilder;
pub use policy::{KeyedRateLimit, KeyedRateLimitStatus};
