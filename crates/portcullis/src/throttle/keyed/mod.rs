//! A throttle per key: per backend, or per priority.

mod builder;
mod policy;

pub use builder::KeyedThrottleBuilder;
pub use policy::{KeyedThrottle, KeyedThrottleStatus};
