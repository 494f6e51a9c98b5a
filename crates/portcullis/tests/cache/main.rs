//! Caches, in paused time.

#![cfg(all(feature = "cache", feature = "http"))]
#![expect(clippy::unwrap_used, reason = "what helps the tests may panic as they do")]

mod background;
mod flights;
mod http;
mod keeps;
mod seen;
mod stale;
mod support;
mod whose;
