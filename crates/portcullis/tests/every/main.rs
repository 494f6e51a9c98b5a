//! What holds for every policy there is, in paused time.

#![cfg(all(feature = "cache", feature = "http"))]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what helps the tests may panic as they do"
)]

mod actions;
mod audits;
mod callbacks;
mod found;
mod policies;
