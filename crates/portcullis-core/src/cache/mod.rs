//! The cache: for how long an answer may stand for another call.
//!
//! What is kept is fresh for a time, and may be served for a while after that: at once, while another is fetched, or
//! when the fetch fails. A [`Lifetime`] says which, from the times alone.
//!
//! ```
//! use portcullis_core::{Time, cache::{Freshness, Lifetime, Windows}};
//! use std::time::Duration;
//!
//! let windows = Windows {
//!     ttl: Duration::from_secs(60),
//!     while_revalidate: Duration::from_secs(10),
//!     if_error: Duration::from_secs(3600),
//! };
//! let lifetime = Lifetime::new(Time::ORIGIN, windows);
//! assert_eq!(lifetime.at(Time::from_millis(59_999)), Freshness::Fresh);
//! assert_eq!(lifetime.at(Time::from_millis(60_000)), Freshness::Stale);
//! assert_eq!(lifetime.at(Time::from_millis(70_000)), Freshness::IfError);
//! assert_eq!(lifetime.at(Time::from_millis(3_660_000)), Freshness::Gone);
//! ```

mod config;
mod lifetime;
mod preset;

pub use config::{
    Config, DEFAULT_JITTER, DEFAULT_MAX_ENTRIES, DEFAULT_MAX_REFRESHES, DEFAULT_REFRESH_TIMEOUT, DEFAULT_TTL,
    MAX_ENTRIES,
};
pub use lifetime::{Freshness, Lifetime, Windows};
pub use preset::Preset;
