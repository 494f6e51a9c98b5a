//! An adaptive limit per key: per host, route or tenant.

mod builder;
mod by;
mod policy;

pub use builder::KeyedAdaptiveLimitBuilder;
pub use by::ByKey;
pub use policy::{KeyedAdaptiveLimit, KeyedAdaptiveLimitStatus};
