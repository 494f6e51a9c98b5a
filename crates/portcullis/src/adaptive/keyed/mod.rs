//! An adaptive limit per key: per host, route or tenant.

mod builder;
mod policy;

pub use builder::KeyedAdaptiveLimitBuilder;
pub use policy::{KeyedAdaptiveLimit, KeyedAdaptiveLimitStatus};
