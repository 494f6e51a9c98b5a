//! A throttle per key: per backend, or per priority.

mod builder;
mod by;
mod policy;

pub use builder::KeyedThrottleBuilder;
pub use by::ByKey;
pub use policy::{KeyedThrottle, KeyedThrottleStatus};
