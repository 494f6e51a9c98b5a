//! Bulkheads by key under a paused clock.
#![expect(clippy::unwrap_used, reason = "tests, and what they share")]

mod calls;
mod fair;
mod keys;
mod live;
mod seen;
#[cfg(feature = "http")]
mod server;
mod support;
