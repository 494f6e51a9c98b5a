//! What holds for every policy there is, in paused time.

#![cfg(all(feature = "cache", feature = "http"))]
#![expect(clippy::unwrap_used, reason = "what helps the tests may panic as they do")]

mod actions;
mod audits;
mod policies;
