//! The timeout: how long callers wait, and how that follows what is usual.
//!
//! [`Config`] is what a timeout is told; [`Adaptive`] makes a limit of how long calls take.
//!
//! ```
//! use portcullis_core::timeout::Adaptive;
//! use std::time::Duration;
//!
//! let ms = Duration::from_millis;
//! let rule = Adaptive::default();
//! // 99 of 100 calls took no more than 40 ms, and no call has to wait for longer than a second.
//! assert_eq!(rule.limit(Some(ms(40)), ms(1000)), ms(80));
//! assert_eq!(rule.limit(None, ms(1000)), ms(1000), "too few calls to tell");
//! ```
//!
//! # What is not known to the end
//!
//! A call that was given up took *at least* as long as its limit; how long it would have taken is not known. Left
//! out, only fast calls would be seen, the limit would shrink, still fewer would be in time, and so on. Counted at
//! the limit, they push the quantile up to the limit as soon as they are more than the quantile leaves out, and
//! the factor then lifts the next limit above it: a dependency that has become slow for good is followed, by the
//! factor each time, up to the longest limit. That is why the factor is more than one by a margin that the error
//! of [`quantile`](crate::quantile) does not eat up.

mod adaptive;
mod config;
mod preset;

pub use adaptive::{
    Adaptive, DEFAULT_AT_LEAST, DEFAULT_FACTOR, DEFAULT_MIN_CALLS, DEFAULT_QUANTILE, MIN_FACTOR,
};
pub use config::{Config, DEFAULT_LIMIT, LONGEST, SHORTEST};
pub use preset::Preset;
